#include <gtest/gtest.h>

#include <dformer/backend/cpu/resample.hpp>
#include <dformer/backend/cuda/device/resize_tap.cuh>

namespace dformer::testing {
namespace {

/// Calls body(axis, CPU's taps) for all small axes, and for those of the networks.
template <class Body>
void for_each_axis(const Body& body) {
  const cpu::Device device({.threads = 1});
  const auto check = [&](std::int64_t input, std::int64_t output) {
    for (const bool align_corners : {false, true}) {
      SCOPED_TRACE(std::to_string(input) + " to " + std::to_string(output));
      body(cuda::resize_axis(input, output, align_corners),
           cpu::resize_taps(device, input, output, align_corners));
    }
  };
  for (std::int64_t input = 1; input <= 40; ++input) {
    for (std::int64_t output = 1; output <= 90; ++output) check(input, output);
  }
  for (const std::int64_t input : {60, 80, 120, 160, 1000}) {
    for (const std::int64_t output : {1, 7, 333, 480, 640, 4096}) check(input, output);
  }
}

TEST(ResizeTap, IsTheCpus) {
  for_each_axis([](const cuda::ResizeAxis& axis, const cpu::Tensor<cpu::ResizeTap>& taps) {
    for (int i = 0; i < axis.output; ++i) {
      const cuda::device::ResizeTap tap = cuda::device::resize_tap(axis, i);
      ASSERT_EQ(tap.first, taps.data()[i].first) << i;
      ASSERT_EQ(tap.second, taps.data()[i].second) << i;
      ASSERT_EQ(tap.weight, taps.data()[i].weight) << i;
    }
  });
}

TEST(ResizeTap, FirstOutputOfEachInput) {
  for_each_axis([](const cuda::ResizeAxis& axis, const cpu::Tensor<cpu::ResizeTap>& taps) {
    int first = 0;
    for (int input = -1; input <= axis.input + 1; ++input) {
      while (first < axis.output && taps.data()[first].first < input) ++first;
      ASSERT_EQ(cuda::device::first_output(axis, input), first) << input;
    }
  });
}

}  // namespace
}  // namespace dformer::testing
