#pragma once

// Declarations only.

namespace dformer {

template <class Scalar = float>
struct Cpu;  // defined in <dformer/backend/cpu/cpu.hpp>

}  // namespace dformer
