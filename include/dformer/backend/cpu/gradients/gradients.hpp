#pragma once

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/cpu/gradients/attention.hpp>
#include <dformer/backend/cpu/gradients/conv2d.hpp>
#include <dformer/backend/cpu/gradients/cross_entropy.hpp>
#include <dformer/backend/cpu/gradients/depthwise_conv2d.hpp>
#include <dformer/backend/cpu/gradients/geometry_attention.hpp>
#include <dformer/backend/cpu/gradients/linear.hpp>
#include <dformer/backend/cpu/gradients/nmf.hpp>
#include <dformer/backend/cpu/gradients/norm.hpp>
#include <dformer/backend/cpu/gradients/optimizer.hpp>
#include <dformer/backend/cpu/gradients/pointwise.hpp>
#include <dformer/backend/cpu/gradients/resample.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of the CPU's operations.
template <class Scalar>
struct Gradients<Cpu<Scalar>> : cpu::LinearGradientOps<Scalar>,
                                cpu::ConvolutionGradientOps<Scalar>,
                                cpu::DepthwiseGradientOps<Scalar>,
                                cpu::NormGradientOps<Scalar>,
                                cpu::PointwiseGradientOps<Scalar>,
                                cpu::ResampleGradientOps<Scalar>,
                                cpu::AttentionGradientOps<Scalar>,
                                cpu::GeometryGradientOps<Scalar>,
                                cpu::FactorizationGradientOps<Scalar>,
                                cpu::LossGradientOps<Scalar>,
                                cpu::OptimizerOps<Scalar> {};

static_assert(LinearGradients<Cpu<float>>);
static_assert(ConvolutionGradients<Cpu<float>>);
static_assert(NormGradientFamily<Cpu<float>>);
static_assert(PointwiseGradients<Cpu<float>>);
static_assert(ResampleGradients<Cpu<float>>);
static_assert(AttentionGradientFamily<Cpu<float>>);
static_assert(FactorizationGradients<Cpu<float>>);
static_assert(LossGradients<Cpu<float>>);
static_assert(OptimizerSteps<Cpu<float>>);

}  // namespace dformer
