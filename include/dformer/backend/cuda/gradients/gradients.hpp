#pragma once

#include <dformer/backend/cuda/cuda.hpp>
#include <dformer/backend/cuda/gradients/attention.hpp>
#include <dformer/backend/cuda/gradients/conv2d.hpp>
#include <dformer/backend/cuda/gradients/cross_entropy.hpp>
#include <dformer/backend/cuda/gradients/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/gradients/geometry_attention.hpp>
#include <dformer/backend/cuda/gradients/linear.hpp>
#include <dformer/backend/cuda/gradients/nmf.hpp>
#include <dformer/backend/cuda/gradients/norm.hpp>
#include <dformer/backend/cuda/gradients/optimizer.hpp>
#include <dformer/backend/cuda/gradients/pointwise.hpp>
#include <dformer/backend/cuda/gradients/resample.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of Cuda's operations and the steps of optimisers. Gradients of parameters are float32.
template <class Scalar>
struct Gradients<Cuda<Scalar>> : cuda::LinearGradientOps<Scalar>,
                                 cuda::ConvolutionGradientOps<Scalar>,
                                 cuda::DepthwiseGradientOps<Scalar>,
                                 cuda::NormGradientOps<Scalar>,
                                 cuda::PointwiseGradientOps<Scalar>,
                                 cuda::ResampleGradientOps<Scalar>,
                                 cuda::AttentionGradientOps<Scalar>,
                                 cuda::GeometryGradientOps<Scalar>,
                                 cuda::FactorizationGradientOps<Scalar>,
                                 cuda::LossGradientOps<Scalar>,
                                 cuda::OptimizerOps<Scalar> {};

static_assert(LinearGradients<Cuda<float>>);
static_assert(ConvolutionGradients<Cuda<float>>);
static_assert(NormGradientFamily<Cuda<float>>);
static_assert(PointwiseGradients<Cuda<float>>);
static_assert(ResampleGradients<Cuda<float>>);
static_assert(AttentionGradientFamily<Cuda<float>>);
static_assert(FactorizationGradients<Cuda<float>>);
static_assert(LossGradients<Cuda<float>>);
static_assert(OptimizerSteps<Cuda<float>>);

}  // namespace dformer
