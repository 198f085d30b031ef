#pragma once

#include <span>
#include <string>
#include <vector>

#include <support/golden.hpp>

#include <dformer/backend/concept.hpp>

#if defined(DFORMER_TEST_CUDA)
#include <dformer/cuda.hpp>
#if defined(DFORMER_CUDA_EMULATION)
#include <dformer/backend/cuda/emulation/stream_queue.hpp>
#endif
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

#if defined(DFORMER_TEST_CUDA) && !defined(DFORMER_CUDA_EMULATION)
/// Skips every test of the program where there is no GPU.
class GpuRequired : public ::testing::Environment {
 public:
  void SetUp() override {
    if (cuda::runtime::device_count() == 0) GTEST_SKIP() << "no GPU: " << cuda::runtime::why_no_device();
  }
};
inline ::testing::Environment* const gpu_required = ::testing::AddGlobalTestEnvironment(new GpuRequired);
#endif

/// Every device the suite should run on: on the CPU one for each instruction set of this machine, with
/// threads; of the emulated GPU one for each order in which the threads of a block may run.
inline std::vector<TestBackend::Device> test_devices() {
#if defined(DFORMER_CUDA_EMULATION)
  using cuda::emulation::Order;
  std::vector<cuda::Device> devices;
  for (const Order order : {Order::ascending, Order::descending, Order::shuffled}) {
    devices.emplace_back();
    devices.back().stream()->order = order;
  }
  return devices;
#elif defined(DFORMER_TEST_CUDA)
  return {TestBackend::default_device()};
#else
  std::vector<cpu::Device> devices;
  for (cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa <= cpu::best_isa()) devices.push_back(cpu::Device({.threads = 2, .isa = isa}));
  }
  return devices;
#endif
}

/// Devices that must give the same bits: with other numbers of threads, or another order of them.
inline std::vector<TestBackend::Device> devices_that_must_agree() {
#if defined(DFORMER_TEST_CUDA)
  return test_devices();
#else
  std::vector<cpu::Device> devices;
  for (const int threads : {1, 2, 3, 5}) devices.push_back(cpu::Device({.threads = threads}));
  return devices;
#endif
}

/// result(device), a comparable value, must be the same on all of them.
template <class Result>
void expect_same_on_all_devices(const Result& result) {
  const auto devices = devices_that_must_agree();
  const auto first = result(devices[0]);
  for (std::size_t i = 1; i < devices.size(); ++i) EXPECT_EQ(result(devices[i]), first) << "device " << i;
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
