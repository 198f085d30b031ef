#pragma once

// Declarations only.

namespace dformer {

template <class Scalar = float>
struct Cpu;  // defined in <dformer/backend/cpu/cpu.hpp>

struct Training;
template <class B, class Mode = Training>
struct Autodiff;  // defined in <dformer/backend/autodiff/autodiff.hpp>

}  // namespace dformer
