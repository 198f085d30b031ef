// dformer_infer as a user runs it, on small pairs made here, with the smallest network.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "programs/run.hpp"
#include <dformer/viz/label_image.hpp>

namespace dformer {
namespace {

using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;
namespace fs = std::filesystem;

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class Infer : public ::testing::Test {
 protected:
  Infer() {
    fs::create_directory(folder_ / "rgb");
    fs::create_directory(folder_ / "depth");
  }

  /// A pair of 64x48 pixels: a ramp of colours and a slope in millimetres.
  void make_pair(const std::string& name, std::uint16_t nearest = 1000) const {
    cv::Mat color(48, 64, CV_8UC3);
    cv::Mat depth(48, 64, CV_16UC1);
    for (int y = 0; y < color.rows; ++y) {
      for (int x = 0; x < color.cols; ++x) {
        color.at<cv::Vec3b>(y, x) =
            cv::Vec3b(static_cast<std::uint8_t>(4 * x), static_cast<std::uint8_t>(5 * y),
                      static_cast<std::uint8_t>(x * y % 251));
        depth.at<std::uint16_t>(y, x) = static_cast<std::uint16_t>(nearest + nearest * y / 48);
      }
    }
    cv::imwrite((folder_ / ("rgb/" + name)).string(), color);
    cv::imwrite((folder_ / ("depth/" + name)).string(), depth);
  }

  Outcome infer(std::vector<std::string> arguments) const {
    return testing::run(folder_, DFORMER_INFER, arguments);
  }
  /// On both folders, in millimetres, with the weights of seed 1.
  Outcome infer_folder(std::vector<std::string> more = {}, const std::string& out = "out") const {
    std::vector<std::string> arguments{
        "--model", "DFormer_Tiny", "--init",           "1",  "--rgb", path("rgb"),
        "--depth", path("depth"),  "--depth-encoding", "mm", "--out", path(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return infer(arguments);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  json summary(const std::string& out = "out") const {
    return json::parse(testing::read_text(folder_ / (out + "/summary.json")));
  }
  bool exists(const std::string& name) const { return fs::exists(folder_ / name); }
  cv::Mat image(const std::string& name) const { return cv::imread(path(name), cv::IMREAD_UNCHANGED); }

  testing::TemporaryFolder folder_;
};

TEST_F(Infer, WritesEverythingAboutAPair) {
  make_pair("a.png");
  const Outcome outcome =
      infer_folder({"--write", "labels,color,overlay,confidence,probabilities", "--threads", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.err, {"NO CHECKPOINT", "--init 1"});
  expect_mentions(outcome.out, {"DFormer_Tiny", "40 classes", "1 of 1 pairs"});

  const cv::Mat labels = image("out/labels/a.png");
  ASSERT_EQ(labels.type(), CV_8UC1);
  ASSERT_EQ(labels.size(), cv::Size(64, 48));
  EXPECT_EQ(cv::norm(image("out/color/a.png"), label_image(labels), cv::NORM_INF), 0);
  EXPECT_GT(image("out/overlay/a.png").cols, 64) << "no legend";
  EXPECT_GT(image("out/confidence/a.png").cols, 64) << "no scale";

  const std::string npy = testing::read_text(folder_ / "out/probabilities/a.npy");
  expect_mentions(npy.substr(0, 128), {"NUMPY", "'<f4'", "(48, 64, 40)"});
  ASSERT_EQ(npy.size(), 128u + 48 * 64 * 40 * sizeof(float));
  std::vector<float> values(48 * 64 * 40);
  std::memcpy(values.data(), npy.data() + 128, npy.size() - 128);
  for (int pixel = 0; pixel < 48 * 64; ++pixel) {
    const auto row = values.begin() + 40 * pixel;
    ASSERT_EQ(std::max_element(row, row + 40) - row, labels.data[pixel]) << "pixel " << pixel;
  }

  const json all = summary();
  EXPECT_EQ(all["model"], "DFormer_Tiny");
  EXPECT_EQ(all["num_classes"], 40);
  EXPECT_EQ(all["weights"]["random_weights_of_seed"], 1);
  EXPECT_EQ(all["depth_encoding"], "mm");
  EXPECT_EQ(all["machine"]["threads"], 1);
  EXPECT_EQ(all["failed"], 0);
  const json& entry = all["images"].at(0);
  EXPECT_EQ(entry["name"], "a");
  EXPECT_EQ(entry["width"], 64);
  EXPECT_EQ(entry["outputs"]["labels"], "labels/a.png");
  for (const char* phase : {"read", "pre", "net", "post", "write"}) {
    EXPECT_GT(entry["times_ms"][phase], 0) << phase;
    EXPECT_EQ(all["times_ms"][phase]["p50"], entry["times_ms"][phase]) << phase;
  }
  double share = 0;
  for (const json& present : entry["classes"]) share += present["share"].get<double>();
  EXPECT_NEAR(share, 1.0, 1e-9);
}

TEST_F(Infer, RunsAgreeBitByBitAndWithAndWithoutProbabilities) {
  make_pair("a.png");
  ASSERT_EQ(infer_folder({"--write", "labels,probabilities"}).exit_code, 0);
  ASSERT_EQ(infer_folder({"--write", "labels,probabilities"}, "again").exit_code, 0);
  ASSERT_EQ(infer_folder({"--write", "labels"}, "best_only").exit_code, 0);
  EXPECT_TRUE(testing::read_text(folder_ / "out/probabilities/a.npy") ==
              testing::read_text(folder_ / "again/probabilities/a.npy"));
  EXPECT_EQ(cv::norm(image("out/labels/a.png"), image("best_only/labels/a.png"), cv::NORM_INF), 0);
  EXPECT_FALSE(exists("best_only/probabilities"));
}

TEST_F(Infer, RandomBasesDifferFromRunToRun) {
  make_pair("a.png");
  for (const char* out : {"first", "second"})
    ASSERT_EQ(infer_folder({"--random-bases", "--write", "probabilities"}, out).exit_code, 0);
  EXPECT_FALSE(testing::read_text(folder_ / "first/probabilities/a.npy") ==
               testing::read_text(folder_ / "second/probabilities/a.npy"));
  EXPECT_TRUE(summary("first")["random_bases"].get<bool>());
}

TEST_F(Infer, AFolderGoesOnPastABrokenPairAndSaysSo) {
  for (const char* name : {"1.png", "2.png", "3.png"}) make_pair(name);
  folder_.write("depth/2.png", "this is no picture");
  const Outcome outcome = infer_folder();
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"depth/2.png", "cannot be decoded"});
  expect_mentions(outcome.out, {"2 of 3 pairs"});
  EXPECT_TRUE(exists("out/labels/1.png"));
  EXPECT_FALSE(exists("out/labels/2.png"));
  EXPECT_TRUE(exists("out/labels/3.png"));
  const json all = summary();
  EXPECT_EQ(all["failed"], 1);
  expect_mentions(all["images"].at(1)["error"], {"depth/2.png"});

  const Outcome stopped = infer_folder({"--fail-fast"}, "stopped");
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_TRUE(exists("stopped/labels/1.png"));
  EXPECT_FALSE(exists("stopped/labels/3.png"));
}

TEST_F(Infer, WarnsOfAWrongUnitOnce) {
  for (const char* name : {"1.png", "2.png", "3.png"}) make_pair(name, 20);  // 20 to 40 mm
  const Outcome outcome = infer_folder();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(count_of("median depth", outcome.err), 1u) << outcome.err;
  expect_mentions(outcome.err, {"depth/1.png", "3 of 3 pairs"});
  EXPECT_EQ(summary()["images"].at(2)["warnings"].size(), 1u);
}

TEST_F(Infer, CountsClassesFromOne) {
  make_pair("a.png");
  ASSERT_EQ(infer_folder().exit_code, 0);
  ASSERT_EQ(infer_folder({"--labels-from-one"}, "one").exit_code, 0);
  EXPECT_EQ(cv::norm(image("out/labels/a.png") + 1, image("one/labels/a.png"), cv::NORM_INF), 0);
}

TEST_F(Infer, OtherClasses) {
  make_pair("a.png");
  ASSERT_EQ(infer_folder({"--classes", "sunrgbd37"}).exit_code, 0);
  EXPECT_EQ(summary()["num_classes"], 37);
  std::string names;
  for (int i = 0; i < 37; ++i) names += "thing " + std::to_string(i) + "\n";
  folder_.write("names.txt", names);
  ASSERT_EQ(infer_folder({"--classes", path("names.txt")}, "named").exit_code, 0);
  expect_mentions(summary("named")["images"].at(0)["classes"].at(0)["name"], {"thing "});
  folder_.write("names.txt", "a\nb\nc\n");
  ASSERT_EQ(infer_folder({"--classes", path("names.txt")}, "few").exit_code, 0);
  EXPECT_EQ(summary("few")["num_classes"], 3);
  EXPECT_EQ(summary("few")["like"], "nyudepthv2");
  ASSERT_EQ(infer_folder({"--classes", path("names.txt"), "--like", "sunrgbd"}, "like").exit_code, 0);
  EXPECT_EQ(summary("like")["like"], "sunrgbd");
  folder_.write("names.txt", "a\n");
  const Outcome one = infer_folder({"--classes", path("names.txt")}, "one");
  EXPECT_EQ(one.exit_code, 1);
  expect_mentions(one.err, {"2 to 255", "asked for 1"});
  EXPECT_EQ(infer_folder({"--classes", path("missing.txt")}).exit_code, 1);
}

TEST_F(Infer, AMissingPartnerIsFoundBeforeAnythingIsDone) {
  make_pair("1.png");
  make_pair("2.png");
  fs::remove(folder_ / "depth/2.png");
  const Outcome outcome = infer_folder();
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"2.png", "no depth image"});
  EXPECT_FALSE(exists("out"));
}

TEST_F(Infer, DepthOfAnotherTypeNamesWhatFits) {
  make_pair("1.png");
  const Outcome outcome = infer_folder({"--depth-encoding", "greys"});
  EXPECT_EQ(outcome.exit_code, 2) << "given twice";
  const Outcome grey = infer({"--model", "DFormer_Tiny", "--init", "1", "--rgb", path("rgb/1.png"), "--depth",
                              path("depth/1.png"), "--out", path("out")});
  EXPECT_EQ(grey.exit_code, 1);
  expect_mentions(grey.err, {"depth/1.png", "16-bit", "mm, sun"});
}

TEST_F(Infer, CommandLinesThatAreWrong) {
  make_pair("a.png");
  const auto usage_error = [&](std::vector<std::string> more, std::initializer_list<std::string> words) {
    const Outcome outcome = infer_folder(more);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    expect_mentions(outcome.err, words);
  };
  usage_error({"--checkpoint", "weights.pth"}, {"--checkpoint", "--init"});
  usage_error({"--holes", "dig"}, {"dig", "keep, near, far, fill"});
  usage_error({"--threads", "-2"}, {"--threads"});
  usage_error({"--write", "labels,poem"}, {"poem", "overlay"});
  usage_error({"--non-strict"}, {"--checkpoint"});
  EXPECT_EQ(infer({}).exit_code, 2);
  const Outcome model =
      infer({"--model", "DFormer_Huge", "--init", "1", "--rgb", "a", "--depth", "b", "--out", "c"});
  EXPECT_EQ(model.exit_code, 2);
  expect_mentions(model.err, {"DFormer_Huge", "DFormer_Large"});
  const Outcome help = infer({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  expect_mentions(help.out, {"--depth-encoding", "--checkpoint", "--random-bases"});
  EXPECT_FALSE(exists("out"));
}

TEST_F(Infer, CheckpointsThatAreNone) {
  make_pair("a.png");
  folder_.write("notes.txt", "not weights at all, only a note");
  for (const char* file : {"notes.txt", "missing.pth"}) {
    const Outcome outcome =
        infer({"--model", "DFormer_Tiny", "--checkpoint", path(file), "--rgb", path("rgb"), "--depth",
               path("depth"), "--depth-encoding", "mm", "--out", path("out")});
    EXPECT_EQ(outcome.exit_code, 1);
    expect_mentions(outcome.err, {"dformer_infer: ", file});
    EXPECT_EQ(count_of("\n", outcome.err), 1u) << outcome.err;
  }
  EXPECT_FALSE(exists("out"));
}

TEST_F(Infer, AnOutputFolderThatCannotBe) {
  make_pair("a.png");
  folder_.write("taken", "a file");
  const Outcome outcome = infer_folder({}, "taken");
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"taken"});
  EXPECT_EQ(testing::read_text(folder_ / "taken"), "a file");
}

}  // namespace
}  // namespace dformer
