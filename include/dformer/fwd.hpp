#pragma once

// Declarations only.

namespace dformer {

struct half;
struct bfloat16;

template <class Scalar = float>
struct Cpu;  // defined in <dformer/backend/cpu/cpu.hpp>
template <class Scalar = float>
struct Cuda;  // defined in <dformer/backend/cuda/cuda.hpp>

struct Training;
template <class B, class Mode = Training>
struct Autodiff;  // defined in <dformer/backend/autodiff/autodiff.hpp>

}  // namespace dformer
