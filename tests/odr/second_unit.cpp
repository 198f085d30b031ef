#include <cstdio>

#include <everything.hpp>

const void* kernels_of_first_unit();

/// Both units see the same table of kernels, whichever of them compiled it.
int main() {
  if (kernels_of_first_unit() == &dformer::cpu::kernels<float>(dformer::cpu::best_isa())) return 0;
  std::puts("the two units of this program see different kernels");
  return 1;
}
