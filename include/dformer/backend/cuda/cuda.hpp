#pragma once

#include <cstdint>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/cuda/attention.hpp>
#include <dformer/backend/cuda/conv2d.hpp>
#include <dformer/backend/cuda/depthwise_conv2d.hpp>
#include <dformer/backend/cuda/geometry_attention.hpp>
#include <dformer/backend/cuda/linear.hpp>
#include <dformer/backend/cuda/nmf.hpp>
#include <dformer/backend/cuda/pointwise.hpp>
#include <dformer/backend/cuda/resample.hpp>
#include <dformer/backend/cuda/storage.hpp>
#include <dformer/fwd.hpp>

namespace dformer {

/// NVIDIA's GPUs. Scalar is what activations and the weights of products and convolutions are kept in: float,
/// half or bfloat16. Sums, norms, softmaxes and the factorization are done in float32, and so are kept the
/// values for each channel.
template <class Scalar>
struct Cuda : cuda::StorageOps<Scalar>,
              cuda::AttentionOps<Scalar>,
              cuda::ConvolutionOps<Scalar>,
              cuda::DepthwiseOps<Scalar>,
              cuda::FactorizationOps<Scalar>,
              cuda::GeometryAttentionOps<Scalar>,
              cuda::LinearOps<Scalar>,
              cuda::PointwiseOps<Scalar>,
              cuda::ResampleOps<Scalar> {
  using Tensor = cuda::Tensor<Scalar>;
  using Labels = cuda::Tensor<std::uint8_t>;
  using Device = cuda::Device;
  static constexpr bool training = false;
};

static_assert(LinearFamily<Cuda<float>>);
static_assert(ConvolutionFamily<Cuda<float>>);
static_assert(ResampleFamily<Cuda<float>>);

}  // namespace dformer
