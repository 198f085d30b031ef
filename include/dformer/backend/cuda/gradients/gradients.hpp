#pragma once

#include <dformer/backend/cuda/cuda.hpp>
#include <dformer/backend/cuda/gradients/conv2d.hpp>
#include <dformer/backend/cuda/gradients/linear.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of Cuda's operations and the steps of optimisers. Gradients of parameters are float32.
template <class Scalar>
struct Gradients<Cuda<Scalar>> : cuda::LinearGradientOps<Scalar>, cuda::ConvolutionGradientOps<Scalar> {};

static_assert(LinearGradients<Cuda<float>>);

}  // namespace dformer
