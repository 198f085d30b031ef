// What is decoded of a large data set, and that threads change nothing. What is found in data sets that are
// broken on purpose: tests/programs/doctor_data_test.cpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "images/image_test.hpp"
#include <dformer/data/dataset_checkup.hpp>
#include <dformer/data/write_image.hpp>

namespace dformer {
namespace {

/// Ten items, of which number 9 alone has a label that is no class.
class DatasetCheckupTest : public ::testing::Test {
 protected:
  DatasetCheckupTest() {
    for (const char* part : {"RGB", "Depth", "Label"}) std::filesystem::create_directory(folder_ / part);
    std::string list;
    for (int i = 0; i < 10; ++i) {
      const std::string name = std::to_string(i) + ".png";
      const cv::Mat depth = (cv::Mat_<std::uint8_t>(1, 2) << 0, 200 + i);
      write_picture(folder_ / "RGB" / name, cv::Mat(1, 2, CV_8UC3, cv::Scalar(i, 2, 3)));
      write_picture(folder_ / "Depth" / name, depth);
      write_picture(folder_ / "Label" / name, (cv::Mat_<std::uint8_t>(1, 2) << i % 2 + 1, i == 9 ? 7 : 2));
      list += name + "\n";
    }
    folder_.write("train.txt", list);
  }

  DatasetCheckup check(std::size_t most_decoded, int threads) const {
    return check_dataset(
        folder_.path(),
        {.lists = {"train.txt"}, .num_classes = 2, .most_decoded = most_decoded, .threads = threads});
  }

  testing::TemporaryFolder folder_;
};

TEST_F(DatasetCheckupTest, DecodesSoManyEvenly) {
  const DatasetCheckup all = check(0, 1);
  ASSERT_EQ(all.lists.size(), 1u);
  EXPECT_EQ(all.lists[0].items, 10u);
  EXPECT_EQ(all.lists[0].decoded, 10u);
  EXPECT_TRUE(all.has(dataset_findings::label_out_of_range));
  EXPECT_EQ(all.labels.pixels[1], 5u);
  EXPECT_EQ(all.labels.pixels[2], 14u);
  EXPECT_EQ(all.labels.pixels[7], 1u);
  EXPECT_EQ(all.largest, cv::Size(2, 1));

  const DatasetCheckup some = check(5, 1);  // 0, 2, 4, 6, 8
  EXPECT_EQ(some.lists[0].items, 10u);
  EXPECT_EQ(some.lists[0].decoded, 5u);
  EXPECT_FALSE(some.has(dataset_findings::label_out_of_range));
  EXPECT_EQ(some.labels.pixels[1], 5u);
  EXPECT_EQ(check(100, 1).lists[0].decoded, 10u);
}

TEST_F(DatasetCheckupTest, ThreadsFindTheSame) {
  std::filesystem::remove(folder_ / "Depth/3.png");
  folder_.write("RGB/5.png", "not an image");
  const auto text = [](const DatasetCheckup& checkup) {
    std::string result;
    for (const Fact& fact : checkup.facts) result.append(fact.name).append(fact.text).append("\n");
    for (const Finding& finding : checkup.findings) {
      result.append(finding.kind.name).append("\n");
      for (const Place& place : finding.places) result.append(to_string(place)).append("\n");
    }
    return result;
  };
  const std::string alone = text(check(0, 1));
  testing::expect_mentions(alone,
                           {"missing_depth", "train.txt:4: no Depth/3.png", "5.png: cannot be decoded"});
  EXPECT_EQ(text(check(0, 4)), alone);
}

TEST_F(DatasetCheckupTest, MetricDepthOfOneValueIsNoticed) {
  const auto warnings = [](std::initializer_list<int> values) {
    cv::Mat depth(1, static_cast<int>(values.size()), CV_16UC1);
    std::ranges::copy(values, depth.begin<std::uint16_t>());
    return check_metric_depth<MillimetreDepth>(depth);
  };
  ASSERT_EQ(warnings({2000, 2000}).size(), 1u);
  EXPECT_EQ(warnings({2000, 2000})[0], "the depth image has one value only (2000): it carries no depth");
  ASSERT_EQ(warnings({0, 65535, 20, 0}).size(), 1u);  // a single valid pixel; its unit does not matter
  testing::expect_mentions(warnings({0, 65535, 20, 0})[0], {"one value only (20; holes: 75 %)"});
  EXPECT_TRUE(warnings({2000, 2001, 0}).empty());
  // The only other pixel of a large image, where a sample might miss it.
  cv::Mat large(480, 640, CV_16UC1, cv::Scalar(2000));
  large.at<std::uint16_t>(479, 638) = 2001;
  EXPECT_TRUE(check_metric_depth<MillimetreDepth>(large).empty());
  EXPECT_EQ(check_metric_depth<MetreDepth>(cv::Mat(2, 2, CV_32FC1, cv::Scalar(2))).size(), 1u);
}

/// Training says the same as the check.
TEST_F(DatasetCheckupTest, NamesWithBlanksAreSuspectedWhereNothingIsFound) {
  folder_.write("train.txt", "RGB/my room 1.png Label/my room 1.png\n");
  const std::string hint = "a name ends at the first blank, and the line has 6 words";
  const DatasetCheckup checkup = check(0, 1);
  ASSERT_TRUE(checkup.has(dataset_findings::names_nothing));
  testing::expect_mentions(checkup.findings[0].places.at(0).what, {hint});
  testing::expect_mentions(testing::error_of<DatasetError>(
                               [&] { RgbdDataset(folder_.path(), "train.txt", nyu_depth_v2_layout(), 2); }),
                           {hint});
}

TEST_F(DatasetCheckupTest, ProgressCountsToTheEnd) {
  std::vector<std::size_t> done;
  DatasetCheckOptions options{.lists = {"train.txt"}};
  options.progress = [&](std::size_t now, std::size_t total) {
    EXPECT_EQ(total, 10u);
    done.push_back(now);
  };
  check_dataset(folder_.path(), options);
  EXPECT_EQ(done, (std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

}  // namespace
}  // namespace dformer
