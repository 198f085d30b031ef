#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>

#include "images/image_test.hpp"
#include <dformer/eval/metrics.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::error_of;
using testing::expect_mentions;
using testing::fixture;
using testing::Golden;
using testing::row_of;

/// A recorded label map, [N, H, W], as one tall image.
cv::Mat map_of(const Array& array) {
  cv::Mat map(static_cast<int>(array.shape[0] * array.shape[1]), static_cast<int>(array.shape[2]), CV_8UC1);
  for (std::size_t i = 0; i < array.values.size(); ++i)
    map.data[i] = static_cast<std::uint8_t>(array.values[i]);
  return map;
}

double percent(double share) {
  return std::isnan(share) ? 0 : std::nearbyint(1e4 * share) / 100;  // halves to even, as there
}

void expect_percents(const std::vector<double>& actual, const nlohmann::json& expected,
                     const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t k = 0; k < actual.size(); ++k)
    EXPECT_NEAR(percent(actual[k]), expected[k].get<double>(), 1e-5) << what << " of class " << k;
}

class RecordedMetrics : public ::testing::TestWithParam<int> {};

TEST_P(RecordedMetrics, AreMet) {
  const int classes = GetParam();
  const Golden golden("protocol/metrics_" + std::to_string(classes));
  ConfusionMatrix confusion(classes);
  confusion.add(map_of(golden.array("target")), map_of(golden.array("pred")));
  const Array expected = golden.array("hist");
  for (std::size_t i = 0; i < expected.values.size(); ++i)
    ASSERT_EQ(static_cast<float>(confusion.counts()[i]), expected.values[i]) << i;

  std::ifstream stream(fixture("protocol/metrics.json"));
  const auto recorded = nlohmann::json::parse(stream);
  for (const auto& entry : recorded.at("cases")) {
    if (entry.at("num_classes") != classes) continue;
    const auto& official = entry.at("metrics_new");
    const Metrics metrics = compute_metrics(confusion, AbsentClasses::official);
    expect_percents(metrics.iou, official.at("iou_percent"), "IoU");
    expect_percents(metrics.accuracy, official.at("acc_percent"), "accuracy");
    expect_percents(metrics.f1, official.at("f1_percent"), "F1");
    EXPECT_NEAR(percent(metrics.miou), official.at("miou").get<double>(), 1e-9);
    EXPECT_NEAR(percent(metrics.macc), official.at("macc").get<double>(), 1e-9);
    EXPECT_NEAR(percent(metrics.mf1), official.at("mf1").get<double>(), 1e-9);

    const auto& standard = entry.at("metric_py");
    const Metrics skipped = compute_metrics(confusion, AbsentClasses::standard);
    for (std::size_t k = 0; k < skipped.iou.size(); ++k) {
      const auto& value = standard.at("iou")[k];
      ASSERT_EQ(std::isnan(skipped.iou[k]), value.is_null()) << k;
      if (value.is_null()) continue;
      EXPECT_NEAR(skipped.iou[k], value.get<double>(), 1e-12) << k;
    }
    EXPECT_NEAR(skipped.miou, standard.at("mean_iou").get<double>(), 1e-12);
    EXPECT_NEAR(skipped.macc, standard.at("mean_pixel_acc").get<double>(), 1e-12);
    EXPECT_NEAR(skipped.fwiou, standard.at("freq_iou").get<double>(), 1e-12);
    EXPECT_NEAR(skipped.aacc, standard.at("pixel_acc").get<double>(), 1e-12);
    return;
  }
  FAIL() << "no recorded case";
}

INSTANTIATE_TEST_SUITE_P(Official, RecordedMetrics, ::testing::Values(5, 37, 40));

TEST(Metrics, AbsentClassesByBothConventions) {
  ConfusionMatrix confusion(3);
  confusion.add(row_of<std::uint8_t>({0, 0, 1, 255}), row_of<std::uint8_t>({0, 1, 1, 2}));
  const Metrics official = compute_metrics(confusion, AbsentClasses::official);
  const Metrics standard = compute_metrics(confusion, AbsentClasses::standard);
  EXPECT_DOUBLE_EQ(official.miou, (0.5 + 0.5 + 0) / 3);
  EXPECT_DOUBLE_EQ(standard.miou, 0.5);
  EXPECT_DOUBLE_EQ(standard.macc, 0.75);
  EXPECT_DOUBLE_EQ(standard.aacc, 2.0 / 3);
  EXPECT_TRUE(std::isnan(official.iou[2]));
  EXPECT_EQ(percent_text(official.iou[2]), "-");
  EXPECT_EQ(percent_text(official.miou), "33.33");
  EXPECT_EQ(parse_absent_classes("standard"), AbsentClasses::standard);
  EXPECT_THROW(parse_absent_classes("skip"), ArgumentError);
}

TEST(Metrics, NothingCounted) {
  const Metrics metrics = compute_metrics(ConfusionMatrix(2));
  EXPECT_EQ(metrics.miou, 0);
  EXPECT_TRUE(std::isnan(metrics.aacc));
  EXPECT_TRUE(std::isnan(compute_metrics(ConfusionMatrix(2), AbsentClasses::standard).miou));
}

TEST(ConfusionMatrix, AddsUpAndRefusesWhatIsNoClass) {
  ConfusionMatrix confusion(2);
  confusion.add(row_of<std::uint8_t>({0, 1}), row_of<std::uint8_t>({1, 1}));
  ConfusionMatrix both = confusion;
  both += confusion;
  EXPECT_EQ(both.count(0, 1), 2);
  EXPECT_EQ(both.truth_count(1), 2);
  EXPECT_EQ(both.predicted_count(1), 4);
  const auto add = [&](const cv::Mat& truth, const cv::Mat& predicted) {
    return error_of<ImageError>([&] { confusion.add(truth, predicted); });
  };
  expect_mentions(add(row_of<std::uint8_t>({0, 2}), row_of<std::uint8_t>({0, 0})), {"0 to 1", "truth 2"});
  expect_mentions(add(row_of<std::uint8_t>({0, 1}), row_of<std::uint8_t>({0, 7})), {"prediction 7"});
  expect_mentions(add(row_of<std::uint8_t>({0, 1}), row_of<std::uint8_t>({0})), {"1x2", "1x1"});
  EXPECT_EQ(confusion.count(0, 0), 0) << "a refused image was counted in part";
  EXPECT_THROW(both += ConfusionMatrix(3), ArgumentError);
  EXPECT_THROW(ConfusionMatrix(256), ArgumentError);
}

}  // namespace
}  // namespace dformer
