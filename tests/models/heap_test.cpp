// An inference call takes nothing from the heap after the first at its size. Every way to the heap is counted
// here, so this test is a program of its own.

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/models.hpp>

namespace {
std::atomic<long> heap_calls{0};
}

extern "C" void* __libc_malloc(std::size_t size);
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* __libc_realloc(void* memory, std::size_t size);
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);

// operator new ends in malloc, so the C functions are all there is.
extern "C" void* malloc(std::size_t size) {
  ++heap_calls;
  return __libc_malloc(size);
}
extern "C" void* calloc(std::size_t count, std::size_t size) {
  ++heap_calls;
  return __libc_calloc(count, size);
}
extern "C" void* realloc(void* memory, std::size_t size) {
  ++heap_calls;
  return __libc_realloc(memory, size);
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++heap_calls;
  return __libc_memalign(alignment, size);
}
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  ++heap_calls;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? 12 : 0;
}

namespace dformer {
namespace {

template <class Network>
void expect_no_heap_after_first_run(int threads) {
  const cpu::Device device({.threads = threads});
  Network network;
  initialize(network, 1, device);
  std::vector<float> values(96 * 128 * 3, 0.25f);
  const auto rgb = Cpu<>::from_host(device, {1, 96, 128, 3}, values);
  values.resize(96 * 128);
  const auto depth = Cpu<>::from_host(device, {1, 96, 128, 1}, values);
  const long before_first = heap_calls;
  network.labels(rgb, depth);
  EXPECT_GT(heap_calls, before_first) << "the counter sees nothing";
  const long before_second = heap_calls;
  for (int run = 0; run < 3; ++run) network.labels(rgb, depth);
  EXPECT_EQ(heap_calls, before_second);
}

TEST(Heap, DFormerTakesNothingAfterTheFirstRun) {
  expect_no_heap_after_first_run<DFormer_Tiny<>>(1);
  expect_no_heap_after_first_run<DFormer_Tiny<>>(2);
}
TEST(Heap, DFormerV2TakesNothingAfterTheFirstRun) {
  expect_no_heap_after_first_run<DFormerv2_S<>>(1);
  expect_no_heap_after_first_run<DFormerv2_S<>>(2);
}

TEST(Heap, AsymFormerTakesNothingAfterTheFirstRun) {
  expect_no_heap_after_first_run<AsymFormer<>>(1);
  expect_no_heap_after_first_run<AsymFormer<>>(2);
}

}  // namespace
}  // namespace dformer
