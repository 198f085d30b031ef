#pragma once

#include <dformer/backend/cuda/cuda.hpp>
#include <dformer/backend/cuda/gradients/norm.hpp>
#include <dformer/backend/cuda/gradients/optimizer.hpp>
#include <dformer/backend/cuda/gradients/pointwise.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of Cuda's operations and the steps of optimisers. Gradients of parameters are float32.
template <class Scalar>
struct Gradients<Cuda<Scalar>>
    : cuda::NormGradientOps<Scalar>, cuda::PointwiseGradientOps<Scalar>, cuda::OptimizerOps<Scalar> {};

static_assert(NormGradientFamily<Cuda<float>>);
static_assert(PointwiseGradients<Cuda<float>>);
static_assert(OptimizerSteps<Cuda<float>>);

}  // namespace dformer
