#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/train/metrics_log.hpp>

namespace dformer {
namespace {

class MetricsLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "dformer_metrics_log_test";
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ / "metrics.jsonl";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string contents() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(MetricsLogTest, RowsAreLinesOfJson) {
  MetricsLog log(path_);
  EXPECT_EQ(contents(), "");
  log.add({.step = 0, .values = {{"loss", 3.5}, {"lr", 6e-5}}});
  EXPECT_EQ(contents(), "{\"step\":0,\"loss\":3.5,\"lr\":6e-05}\n");
  log.add({.step = 9, .values = {{"mIoU", 1.0 / 3.0}}});
  log.add({.step = 10, .values = {{"loss", std::numeric_limits<double>::infinity()}}});
  log.add({.step = 11});
  EXPECT_EQ(contents(),
            "{\"step\":0,\"loss\":3.5,\"lr\":6e-05}\n{\"step\":9,\"mIoU\":0.3333333333333333}\n"
            "{\"step\":10,\"loss\":null}\n{\"step\":11}\n");
}

TEST_F(MetricsLogTest, ReadsWhatItWrites) {
  MetricsLog log(path_);
  log.add({.step = 5, .values = {{"loss", 0.1}, {"score of class 3", -1e300}}});
  log.add({.step = 6, .values = {{"loss", std::nan("")}}});
  const std::vector<MetricsRow> rows = read_metrics(path_);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].step, 5);
  EXPECT_EQ(rows[0].value("loss"), 0.1);
  EXPECT_EQ(rows[0].value("score of class 3"), -1e300);
  EXPECT_TRUE(std::isnan(rows[0].value("lr")));
  EXPECT_TRUE(std::isnan(rows[1].value("loss")));
}

TEST_F(MetricsLogTest, AResumedRunDropsWhatItWillMakeAgain) {
  {
    MetricsLog log(path_);
    for (int step = 0; step < 10; ++step) log.add({.step = step, .values = {{"loss", step}}});
  }
  MetricsLog log(path_, 7);
  log.add({.step = 7, .values = {{"loss", 70}}});
  const std::vector<MetricsRow> rows = read_metrics(path_);
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[6].value("loss"), 6);
  EXPECT_EQ(rows[7].value("loss"), 70);
}

TEST_F(MetricsLogTest, ALineThatWasCutOffIsLeftOut) {
  write("{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"lo");
  EXPECT_EQ(read_metrics(path_).size(), 1u);
  MetricsLog log(path_, 3);
  log.add({.step = 3});
  EXPECT_EQ(contents(), "{\"step\":1,\"loss\":0.5}\n{\"step\":3}\n");
}

TEST_F(MetricsLogTest, AnotherFileIsLeftAlone) {
  for (const std::string other :
       {"step,loss\n1,2\n", "{\"step\":1}x\n", "{\"step\":}\n", "{\"step\":1,\"loss\":}\n",
        "{\"step\":1,\"loss\":0.5\n", "{\"step\":1,\"loss\n", "\n"}) {
    write(other);
    EXPECT_THROW(read_metrics(path_), FileError) << other;
    EXPECT_THROW((MetricsLog{path_, 1}), FileError) << other;
    EXPECT_EQ(contents(), other);
  }
}

TEST_F(MetricsLogTest, NoFileIsAnEmptyLog) {
  EXPECT_TRUE(read_metrics(path_).empty());
}

TEST_F(MetricsLogTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THROW(MetricsLog{folder_ / "none" / "metrics.jsonl"}, FileError);
}

TEST_F(MetricsLogTest, NamesThatJsonWouldEscapeAreRefused) {
  MetricsLog log(path_);
  EXPECT_THROW(log.add({.step = 1, .values = {{"a\"b", 1}}}), ArgumentError);
  EXPECT_THROW(log.add({.step = 1, .values = {{"a\nb", 1}}}), ArgumentError);
  EXPECT_THROW(log.add({.step = 1, .values = {{"", 1}}}), ArgumentError);
  EXPECT_EQ(contents(), "");
}

TEST(MetricCurve, HasTheRowsThatHaveTheValue) {
  const std::vector<MetricsRow> rows{
      {0, {{"loss", 3}}}, {1, {{"loss", 2}, {"mIoU", 0.5}}}, {2, {{"mIoU", 0.6}}}};
  const auto [steps, values] = metric_curve(rows, "mIoU");
  EXPECT_EQ(steps, (std::vector<double>{1, 2}));
  EXPECT_EQ(values, (std::vector<double>{0.5, 0.6}));
}

}  // namespace
}  // namespace dformer
