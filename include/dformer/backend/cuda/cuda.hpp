#pragma once

#include <cstdint>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/cuda/attention.hpp>
#include <dformer/backend/cuda/conv2d.hpp>
#include <dformer/backend/cuda/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/geometry_attention.hpp>
#include <dformer/backend/cuda/linear.hpp>
#include <dformer/backend/cuda/nmf.hpp>
#include <dformer/backend/cuda/norm.hpp>
#include <dformer/backend/cuda/pointwise.hpp>
#include <dformer/backend/cuda/resample.hpp>
#include <dformer/backend/cuda/storage.hpp>
#include <dformer/fwd.hpp>

namespace dformer {

/// NVIDIA's GPUs. Scalar is what activations and the weights of products and convolutions are kept in: float,
/// half or bfloat16. Sums, norms, softmaxes and the factorization are done in float32, and so are kept the
/// values for each channel. Operations throw ArgumentError where their operands belong to two devices.
template <class Scalar>
struct Cuda : cuda::StorageOps<Scalar>,
              cuda::LinearOps<Scalar>,
              cuda::ConvolutionOps<Scalar>,
              cuda::DepthwiseOps<Scalar>,
              cuda::NormOps<Scalar>,
              cuda::PointwiseOps<Scalar>,
              cuda::ResampleOps<Scalar>,
              cuda::AttentionOps<Scalar>,
              cuda::GeometryAttentionOps<Scalar>,
              cuda::FactorizationOps<Scalar> {
  using Tensor = cuda::Tensor<Scalar>;
  using Labels = cuda::Tensor<std::uint8_t>;
  using Device = cuda::Device;
  static constexpr bool training = false;

  /// Side by side where a network is captured (Device::concurrently).
  template <class... Parts>
  static void concurrently(const Tensor& on, const Parts&... parts) {
    const Device device = on.device();  // a part may be what ends the tensor
    device.concurrently(parts...);
  }
};

static_assert(StorageFamily<Cuda<float>>);
static_assert(LinearFamily<Cuda<float>>);
static_assert(ConvolutionFamily<Cuda<float>>);
static_assert(NormFamily<Cuda<float>>);
static_assert(PointwiseFamily<Cuda<float>>);
static_assert(ResampleFamily<Cuda<float>>);
static_assert(AttentionFamily<Cuda<float>>);
static_assert(FactorizationFamily<Cuda<float>>);

}  // namespace dformer
