#pragma once

#include <vector>

#include <backend/gradients_under_test.hpp>

/// What the tests of the CPU's gradients share.
namespace dformer::testing {

inline std::vector<cpu::Isa> instruction_sets() {
  std::vector<cpu::Isa> result;
  for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa <= cpu::best_isa()) result.push_back(isa);
  }
  return result;
}

/// One device with two threads for each instruction set of this machine.
inline const std::vector<cpu::Device>& devices() {
  static const std::vector<cpu::Device> all = [] {
    std::vector<cpu::Device> made;
    for (const cpu::Isa isa : instruction_sets()) made.push_back(cpu::Device({.threads = 2, .isa = isa}));
    return made;
  }();
  return all;
}

/// A tensor, or a weight in PyTorch's order.
template <class T>
Array to_array(const cpu::Tensor<T>& tensor, WeightLayout layout = WeightLayout::plain) {
  Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  Cpu<T>::weight_to_host(tensor, layout, array.values);
  return array;
}

inline Array to_array(const Shape& shape, const std::vector<double>& values) {
  Array array{shape, {}};
  for (const double value : values) array.values.push_back(static_cast<float>(value));
  return array;
}

}  // namespace dformer::testing
