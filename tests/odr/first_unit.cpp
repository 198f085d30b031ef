#include <everything.hpp>

const void* kernels_of_first_unit() {
  return &dformer::cpu::kernels<float>(dformer::cpu::best_isa());
}
