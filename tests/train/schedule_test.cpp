#include <cstdint>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dformer/train/schedule.hpp>

namespace dformer {
namespace {

TEST(WarmUpPolyLR, HasTheOfficialValues) {
  std::ifstream file(std::string(DFORMER_TEST_DATA) + "/protocol/lr.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  std::size_t compared = 0;
  for (const auto& recorded : golden.at("schedules")) {
    const WarmUpPolyLR schedule{.base_lr = recorded.at("start_lr"),
                                .total_steps = recorded.at("total_iters"),
                                .warmup_steps = recorded.at("warmup_steps"),
                                .power = recorded.at("lr_power")};
    for (const auto& value : recorded.at("values")) {
      const auto t = value.at(0).get<std::int64_t>();
      EXPECT_DOUBLE_EQ(schedule.at(t), value.at(1).get<double>()) << t;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 41u);
}

TEST(WarmUpPolyLR, OfficialLoopRunsTheFirstStepAtTheFullRate) {
  const WarmUpPolyLR schedule{.base_lr = 6e-5, .total_steps = 50000, .warmup_steps = 1000};
  EXPECT_EQ(schedule.lr(0), 6e-5);
  EXPECT_EQ(schedule.lr(1), 0.0);
  EXPECT_DOUBLE_EQ(schedule.lr(2), 6e-8);
  EXPECT_DOUBLE_EQ(schedule.lr(1001), schedule.at(1000));
  EXPECT_DOUBLE_EQ(schedule.lr(49999), schedule.at(49998));
}

TEST(WarmUpPolyLR, TextbookOrderReadsTheCurveAtTheStep) {
  const WarmUpPolyLR schedule{
      .base_lr = 1.0, .total_steps = 100, .warmup_steps = 4, .update = LrUpdate::before_step};
  EXPECT_EQ(schedule.lr(0), 0.0);
  EXPECT_EQ(schedule.lr(1), 0.25);
  EXPECT_EQ(schedule.lr(50), schedule.at(50));
}

TEST(WarmUpPolyLR, IsZeroFromTheEndOn) {
  const WarmUpPolyLR schedule{.base_lr = 1.0, .total_steps = 10};
  EXPECT_EQ(schedule.at(10), 0.0);
  EXPECT_EQ(schedule.at(11), 0.0);
  EXPECT_EQ(schedule.lr(1000), 0.0);
}

TEST(Schedules, NegativeStepsAreRejected) {
  EXPECT_THROW(WarmUpPolyLR{}.lr(-1), ArgumentError);
  EXPECT_THROW(CosineLR{}.lr(-1), ArgumentError);
}

TEST(ConstantLR, NeverChanges) {
  const ConstantLR schedule{.base_lr = 0.5};
  EXPECT_EQ(schedule.lr(0), 0.5);
  EXPECT_EQ(schedule.lr(1000000), 0.5);
}

TEST(CosineLR, RisesThenFallsByHalfACosine) {
  const CosineLR schedule{.base_lr = 2.0, .total_steps = 110, .warmup_steps = 10, .minimum_lr = 1.0};
  EXPECT_EQ(schedule.lr(0), 0.0);
  EXPECT_EQ(schedule.lr(5), 1.0);
  EXPECT_EQ(schedule.lr(10), 2.0);
  EXPECT_NEAR(schedule.lr(60), 1.5, 1e-12);
  EXPECT_NEAR(schedule.lr(35), 1.5 + 0.5 * std::sqrt(0.5), 1e-12);
  EXPECT_EQ(schedule.lr(110), 1.0);
  EXPECT_EQ(schedule.lr(500), 1.0);
}

TEST(StepLR, FallsAtEachMilestone) {
  const StepLR schedule{.base_lr = 1.0, .milestones = {20, 10}, .factor = 0.5};
  EXPECT_EQ(schedule.lr(9), 1.0);
  EXPECT_EQ(schedule.lr(10), 0.5);
  EXPECT_EQ(schedule.lr(20), 0.25);
  const StepLR after{.base_lr = 1.0, .milestones = {20, 10}, .factor = 0.5, .update = LrUpdate::after_step};
  EXPECT_EQ(after.lr(10), 1.0);
  EXPECT_EQ(after.lr(11), 0.5);
}

}  // namespace
}  // namespace dformer
