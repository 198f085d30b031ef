#pragma once

#include <dformer/backend/cuda/cuda.hpp>
#include <dformer/backend/cuda/gradients/attention.hpp>
#include <dformer/backend/cuda/gradients/geometry_attention.hpp>
#include <dformer/backend/cuda/gradients/nmf.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of Cuda's operations and the steps of optimisers. Gradients of parameters are float32.
template <class Scalar>
struct Gradients<Cuda<Scalar>> : cuda::AttentionGradientOps<Scalar>,
                                 cuda::GeometryGradientOps<Scalar>,
                                 cuda::FactorizationGradientOps<Scalar> {};

static_assert(AttentionGradientFamily<Cuda<float>>);
static_assert(FactorizationGradients<Cuda<float>>);

}  // namespace dformer
