#pragma once

#include <cstdint>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/cpu/attention.hpp>
#include <dformer/backend/cpu/conv2d.hpp>
#include <dformer/backend/cpu/depthwise_conv2d.hpp>
#include <dformer/backend/cpu/geometry_attention.hpp>
#include <dformer/backend/cpu/linear.hpp>
#include <dformer/backend/cpu/nmf.hpp>
#include <dformer/backend/cpu/norm.hpp>
#include <dformer/backend/cpu/pointwise.hpp>
#include <dformer/backend/cpu/resample.hpp>
#include <dformer/backend/cpu/storage.hpp>
#include <dformer/fwd.hpp>

namespace dformer {

/// The host's processor: portable vector code for every instruction set in one binary, threads, no
/// dependency. Scalar is float, or double for checking.
template <class Scalar>
struct Cpu : cpu::StorageOps<Scalar>,
             cpu::LinearOps<Scalar>,
             cpu::ConvolutionOps<Scalar>,
             cpu::DepthwiseOps<Scalar>,
             cpu::NormOps<Scalar>,
             cpu::PointwiseOps<Scalar>,
             cpu::ResampleOps<Scalar>,
             cpu::AttentionOps<Scalar>,
             cpu::GeometryAttentionOps<Scalar>,
             cpu::FactorizationOps<Scalar> {
  using Tensor = cpu::Tensor<Scalar>;
  using Labels = cpu::Tensor<std::uint8_t>;
  using Device = cpu::Device;
  static constexpr bool training = false;
};

static_assert(StorageFamily<Cpu<float>>);
static_assert(LinearFamily<Cpu<float>>);
static_assert(ConvolutionFamily<Cpu<float>>);
static_assert(NormFamily<Cpu<float>>);
static_assert(PointwiseFamily<Cpu<float>>);
static_assert(ResampleFamily<Cpu<float>>);
static_assert(AttentionFamily<Cpu<float>>);
static_assert(FactorizationFamily<Cpu<float>>);

}  // namespace dformer
