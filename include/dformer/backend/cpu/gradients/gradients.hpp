#pragma once

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/backend/cpu/gradients/attention.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer {

/// The derivatives of the CPU's operations.
template <class Scalar>
struct Gradients<Cpu<Scalar>> : cpu::AttentionGradientOps<Scalar> {};

}  // namespace dformer
