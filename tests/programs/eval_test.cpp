// dformer_eval as a user runs it, on a small data set made here, with the smallest network.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "programs/run.hpp"

namespace dformer {
namespace {

using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;
namespace fs = std::filesystem;

class Eval : public ::testing::Test {
 protected:
  Eval() {
    for (const char* name : {"RGB", "Depth", "Label"}) fs::create_directories(data() / name);
    for (const char* name : {"1", "2", "3"}) make_item(name, {64, 48});
    write_list("RGB/1.png Label/1.png\nRGB/2.png Label/2.png\nRGB/3.png Label/3.png\n");
  }

  fs::path data() const { return folder_ / "data"; }
  void write_list(const std::string& lines) const { folder_.write("data/test.txt", lines); }
  void make_item(const std::string& name, cv::Size size, int label = 40) const {
    cv::Mat color(size, CV_8UC3);
    cv::Mat depth(size, CV_8UC1);
    cv::Mat labels(size, CV_8UC1);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        color.at<cv::Vec3b>(y, x) =
            cv::Vec3b(static_cast<std::uint8_t>(4 * x), static_cast<std::uint8_t>(5 * y),
                      static_cast<std::uint8_t>(x * y % 251));
        depth.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(5 * y);
        labels.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>(x % (label + 1));
      }
    }
    cv::imwrite((data() / "RGB" / (name + ".png")).string(), color);
    cv::imwrite((data() / "Depth" / (name + ".png")).string(), depth);
    cv::imwrite((data() / "Label" / (name + ".png")).string(), labels);
  }

  Outcome eval(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"--model",       "DFormer_Tiny", "--init",       "1",         "--data",
                                       data().string(), "--out",        out().string(), "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run(folder_, DFORMER_EVAL, arguments);
  }
  fs::path out() const { return folder_ / "out"; }
  json metrics() const { return json::parse(testing::read_text(out() / "metrics.json")); }

  testing::TemporaryFolder folder_;
};

TEST_F(Eval, WritesScoresAndTheirProtocol) {
  const Outcome outcome = eval({"--save-predictions", (folder_ / "predicted").string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out, {"mIoU", "3 images", "protocol: scale 1; no flip; whole images", "wall"});
  expect_mentions(outcome.err, {"NO CHECKPOINT"});
  const json result = metrics();
  EXPECT_EQ(result["images"], 3);
  EXPECT_EQ(result["classes"].size(), 40u);
  EXPECT_EQ(result["classes"][0]["pixels"], 3 * 48 * 2);  // columns 1 and 42
  EXPECT_EQ(result["protocol"]["scales"], json({1.0}));
  EXPECT_EQ(result["protocol"]["absent_classes"], "official");
  EXPECT_EQ(result["protocol"]["head_norm_eps"], 0.001);
  expect_mentions(testing::read_text(out() / "metrics.csv"), {"# NYUDepthv2", "scale 1", "0,\"wall\","});
  EXPECT_EQ(cv::imread((out() / "confusion.png").string()).channels(), 3);
  // Predictions are numbered as the data set is: from 1.
  const cv::Mat predicted = cv::imread((folder_ / "predicted" / "2.png").string(), cv::IMREAD_UNCHANGED);
  ASSERT_EQ(predicted.size(), cv::Size(64, 48));
  double least = 0;
  cv::minMaxLoc(predicted, &least);
  EXPECT_GE(least, 1);
}

TEST_F(Eval, EveryOptionOfTheProtocolIsInTheScore) {
  const Outcome outcome =
      eval({"--multi-scale", "--scales", "0.5", "1", "--flip", "--sliding", "--window", "48x48", "--stride",
            "24x32", "--absent", "standard", "--bases-seed", "7", "--max-images", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json result = metrics();
  const json& protocol = result["protocol"];
  EXPECT_EQ(result["images"], 1);
  EXPECT_EQ(protocol["scales"], json({0.5, 1.0}));
  EXPECT_EQ(protocol["size_multiple"], 32);
  EXPECT_EQ(protocol["flip"], true);
  EXPECT_EQ(protocol["sliding"]["window"], json({48, 48}));
  EXPECT_EQ(protocol["sliding"]["stride"], json({24, 32}));
  EXPECT_EQ(protocol["absent_classes"], "standard");
  EXPECT_EQ(protocol["bases_seed"], 7);
}

TEST_F(Eval, TheSameScoreAgain) {
  ASSERT_EQ(eval().exit_code, 0);
  const std::string first = testing::read_text(out() / "confusion.csv");
  ASSERT_EQ(eval({"--threads", "2"}).exit_code, 2) << "an option given twice";
  ASSERT_EQ(eval().exit_code, 0);
  EXPECT_EQ(testing::read_text(out() / "confusion.csv"), first);
}

TEST_F(Eval, WhatIsWrongWithTheDataIsASentenceThatNamesTheFile) {
  const auto refused = [&](std::initializer_list<std::string> parts) {
    const Outcome outcome = eval();
    EXPECT_EQ(outcome.exit_code, 1);
    expect_mentions(outcome.err, parts);
    EXPECT_FALSE(fs::exists(out() / "metrics.json"));
  };
  make_item("2", {64, 48}, 41);
  refused({"Label/2.png", "label 41", "40 classes"});
  make_item("2", {64, 48});
  cv::imwrite((data() / "Depth" / "3.png").string(), cv::Mat(40, 64, CV_8UC1, cv::Scalar(1)));
  refused({"Depth/3.png", "48x64", "40x64"});
  fs::remove(data() / "Depth" / "3.png");
  refused({"Depth/3.png", "no such image", "test.txt"});
  write_list("\n");
  refused({"test.txt", "lists no image"});
  fs::remove(data() / "test.txt");
  refused({"test.txt", "cannot be opened"});
}

TEST_F(Eval, ClassesOfOnesOwn) {
  for (const char* name : {"1", "2", "3"}) make_item(name, {64, 48}, 3);
  folder_.write("names.txt", "wall\nfloor\nother\n");
  const std::vector<std::string> custom{"--dataset", "custom", "--classes", (folder_ / "names.txt").string()};
  const Outcome three = eval(custom);
  ASSERT_EQ(three.exit_code, 0) << three.err;
  EXPECT_EQ(metrics()["classes"].size(), 3u);
  EXPECT_EQ(metrics()["like"], "nyudepthv2");
  folder_.write("names.txt", "wall\n");
  const Outcome one = eval(custom);
  EXPECT_EQ(one.exit_code, 1);
  expect_mentions(one.err, {"2 to 255", "1"});

  const Outcome none = eval({"--dataset", "custom"});
  EXPECT_EQ(none.exit_code, 2);
  expect_mentions(none.err, {"--classes FILE", "classes.txt"});
  folder_.write("data/classes.txt", "left\nmiddle\nright\n");
  ASSERT_EQ(eval({"--dataset", "custom"}).exit_code, 0);
  EXPECT_EQ(metrics()["classes"][2]["name"], "right");
}

TEST_F(Eval, OptionsThatNeedAnother) {
  expect_mentions(eval({"--flip", "--stride", "3x4"}).err, {"--sliding"});
}

}  // namespace
}  // namespace dformer
