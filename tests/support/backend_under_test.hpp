#pragma once

#include <span>
#include <string>

#include <support/golden.hpp>

#include <dformer/backend/concept.hpp>

#if defined(DFORMER_TEST_CUDA)
#include <dformer/cuda.hpp>
#else
#include <dformer/backend/cpu/cpu.hpp>
#endif

/// The op suites are written once, against TestBackend; CMake compiles them once for each backend.
namespace dformer::testing {

#if defined(DFORMER_TEST_CUDA)
using TestBackend = Cuda<float>;
#else
using TestBackend = Cpu<float>;
#endif
using Tensor = TestBackend::Tensor;

/// Every device the suite should run on: on the CPU one for each instruction set of this machine, with
/// threads.
inline std::vector<TestBackend::Device> test_devices() {
#if defined(DFORMER_TEST_CUDA)
  return {TestBackend::default_device()};
#else
  std::vector<cpu::Device> devices;
  for (cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa <= cpu::best_isa()) devices.push_back(cpu::Device({.threads = 2, .isa = isa}));
  }
  return devices;
#endif
}

inline Tensor upload(const TestBackend::Device& device, const Array& array) {
  return TestBackend::from_host(device, array.shape, array.values);
}
inline Tensor upload_weight(const TestBackend::Device& device, WeightLayout layout, const Array& array) {
  return TestBackend::weight_from_host(device, layout, array.shape, array.values);
}
inline Array download(const Tensor& tensor) {
  Array array{tensor.shape(), std::vector<float>(static_cast<std::size_t>(tensor.shape().numel()))};
  TestBackend::to_host(tensor, array.values);
  return array;
}

}  // namespace dformer::testing
