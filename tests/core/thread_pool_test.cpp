#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/device.hpp>

namespace dformer::cpu {
namespace {

TEST(ThreadPool, DoesEveryTaskOnce) {
  for (int threads : {1, 2, 5}) {
    const Device device({.threads = threads});
    for (int count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
      device.parallel_for(count, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
      });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(ThreadPool, ManyShortLoops) {
  const Device device({.threads = 4});
  std::atomic<std::int64_t> sum{0};
  for (int loop = 0; loop < 20000; ++loop) {
    device.parallel_for(1 + loop % 9, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
  }
  std::int64_t expected = 0;
  for (int loop = 0; loop < 20000; ++loop) expected += 1 + loop % 9;
  EXPECT_EQ(sum, expected);
}

TEST(ThreadPool, OneThreadStartsNone) {
  const Device device({.threads = 1});
  const auto caller = std::this_thread::get_id();
  device.parallel_for(100,
                      [&](std::int64_t, std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
  EXPECT_EQ(device.threads(), 1);
}

TEST(ThreadPool, CallsFromSeveralThreadsAndFromInsideATask) {
  const Device device({.threads = 3});
  std::atomic<std::int64_t> sum{0};
  const auto work = [&] {
    for (int loop = 0; loop < 500; ++loop) {
      device.parallel_for(6, [&](std::int64_t begin, std::int64_t end) {
        device.parallel_for(end - begin, [&](std::int64_t b, std::int64_t e) { sum += e - b; });
      });
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(sum, 2 * 500 * 6);
}

TEST(Device, RefusesANegativeNumberOfThreads) {
  try {
    Device({.threads = -2});
    FAIL();
  } catch (const ArgumentError& error) {
    EXPECT_STREQ(error.what(), "[Device] threads must be 0 (all processors) or more, got -2");
  }
}

TEST(Device, NeverTakesAnInstructionSetThatTheProcessorLacks) {
  EXPECT_LE(Device({.isa = Isa::avx512}).isa(), best_isa());
  EXPECT_EQ(Device({.isa = Isa::baseline}).isa(), Isa::baseline);
}

}  // namespace
}  // namespace dformer::cpu
