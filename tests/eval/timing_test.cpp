#include <gtest/gtest.h>

#include <dformer/eval/timing.hpp>

namespace dformer {
namespace {

TEST(Timing, PercentilesInterpolateBetweenNeighbours) {
  const TimeSummary times = summarize_times({5, 1, 4, 2, 3});
  EXPECT_EQ(times.count, 5u);
  EXPECT_DOUBLE_EQ(times.mean, 3);
  EXPECT_DOUBLE_EQ(times.min, 1);
  EXPECT_DOUBLE_EQ(times.p50, 3);
  EXPECT_DOUBLE_EQ(times.p90, 4.6);
  EXPECT_DOUBLE_EQ(times.p99, 4.96);
  EXPECT_DOUBLE_EQ(times.max, 5);
  EXPECT_DOUBLE_EQ(summarize_times({1, 2}).p50, 1.5);
}

TEST(Timing, OneMeasurementAndNone) {
  const TimeSummary one = summarize_times({7});
  EXPECT_EQ(one.p50, 7);
  EXPECT_EQ(one.p99, 7);
  EXPECT_EQ(summarize_times({}).count, 0u);
  EXPECT_EQ(summarize_times({}).p50, 0);
}

TEST(Timing, LapsAreNeverNegative) {
  Stopwatch watch;
  EXPECT_GE(watch.lap(), 0);
  EXPECT_GE(watch.lap(), 0);
}

}  // namespace
}  // namespace dformer
