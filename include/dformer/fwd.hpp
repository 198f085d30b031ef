#pragma once

// Declarations only.

namespace dformer {

template <class Scalar = float>
struct Cpu;

}  // namespace dformer
