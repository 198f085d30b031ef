#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>

#include "images/image_test.hpp"
#include <dformer/data/dataset.hpp>
#include <dformer/data/normalize.hpp>
#include <dformer/data/write_image.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::bytes_of;
using testing::error_of;
using testing::expect_close;
using testing::expect_mentions;
using testing::fixture;
using testing::Golden;
using testing::TemporaryFolder;
using testing::to_nchw;
namespace fs = std::filesystem;

/// The official reader's input for a network, against what the data set and `normalize` make of the files.
void expect_official(const LabeledImage& sample, const std::string& key, ColorOrder order) {
  const Golden golden("protocol/dataset");
  const NormalizedImage input = normalize(sample.image, order);
  const Shape shape{1, input.height, input.width, 3};
  const auto chw = [](Array array) {
    array.shape = {array.shape[1], array.shape[2], array.shape[3]};
    return array;
  };
  expect_close(chw(to_nchw({shape, input.color})), golden.array(key + ".rgb"), 1e-6, key);
  Array depth = golden.array(key + ".depth");
  depth.shape = {1, input.height, input.width};
  depth.values.resize(input.depth.size());  // the official reader repeats it three times
  expect_close({depth.shape, input.depth}, depth, 1e-6, key);
  const Array labels = golden.array(key + ".label");
  const std::vector<int> bytes = bytes_of(sample.labels);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), labels.values.begin(), labels.values.end(),
                         [](int a, float b) { return static_cast<float>(a) == b; }))
      << key;
}

TEST(Dataset, ReadsWhatTheOfficialReaderReads) {
  // The list names .jpg files, the folder holds .png ones; Depth/b.png is 16-bit, of which the official
  // reader sees the upper byte.
  const fs::path root = fixture("protocol/dataset");
  const RgbdDataset dataset(root, "test.txt", nyu_depth_v2_layout(), 40);
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.item(0).name, "a");
  EXPECT_EQ(dataset.item(1).color, root / "RGB" / "b.png");
  const LabeledImage a = dataset.read(0);
  expect_official(a, "DFormer-Tiny.NYUDepthv2.a", ColorOrder::bgr);
  expect_official(a, "DFormerv2_S.SUNRGBD.a", ColorOrder::rgb);

  expect_mentions(error_of<ImageError>([&] { dataset.read(1); }), {"b.png", "16-bit", "high_byte"});
  DatasetLayout layout = nyu_depth_v2_layout();
  layout.depth = {HighByteDepth{}};
  const LabeledImage b = RgbdDataset(root, "test.txt", layout, 40).read(1);
  expect_official(b, "DFormer-Tiny.NYUDepthv2.b", ColorOrder::bgr);
  expect_official(b, "DFormerv2_S.SUNRGBD.b", ColorOrder::rgb);
}

/// A small data set in a folder of its own.
class OwnDataset : public ::testing::Test {
 protected:
  explicit OwnDataset(const DatasetLayout& layout = nyu_depth_v2_layout()) : layout_(layout) {
    for (const auto& name : {layout.color_folder, layout.depth_folder, layout.label_folder})
      fs::create_directories(folder_ / name);
    write("1", cv::Size(6, 4));
    folder_.write("test.txt", "RGB/1.jpg Label/1.png\n");
  }
  void write(const std::string& stem, cv::Size size, int label = 3) {
    write_picture(file(layout_.color_folder, stem + ".png"), cv::Mat(size, CV_8UC3, cv::Scalar(9)));
    write_picture(file(layout_.depth_folder, stem + ".png"), cv::Mat(size, CV_8UC1, cv::Scalar(7)));
    write_picture(file(layout_.label_folder, stem + ".png"), cv::Mat(size, CV_8UC1, cv::Scalar(label)));
  }
  RgbdDataset open(int classes = 40) const {
    return RgbdDataset(folder_.path(), "test.txt", layout_, classes);
  }
  fs::path file(const std::string& directory, const std::string& name) const {
    return folder_.path() / directory / name;
  }

  DatasetLayout layout_;
  TemporaryFolder folder_;
};

TEST_F(OwnDataset, ReadsItsItems) {
  const LabeledImage sample = open().read(0);
  EXPECT_EQ(sample.name, "1");
  EXPECT_EQ(sample.labels.at<std::uint8_t>(3, 5), 2);
}

TEST_F(OwnDataset, WhatIsMissingIsNamed) {
  folder_.write("test.txt", "RGB/1.jpg\nRGB/2.jpg\n");
  expect_mentions(error_of<DatasetError>([&] { open(); }),
                  {file("RGB", "2.jpg").string(), "no such image", "test.txt"});
  write("2", {6, 4});
  fs::remove(file("Label", "2.png"));
  expect_mentions(error_of<DatasetError>([&] { open(); }), {file("Label", "2.png").string()});
  expect_mentions(error_of<DatasetError>([&] { RgbdDataset(folder_ / "nowhere", "test.txt", layout_, 40); }),
                  {"nowhere", "RGB", "Depth", "Label"});
}

TEST_F(OwnDataset, SizesMustAgree) {
  write_picture(file("Label", "1.png"), cv::Mat(4, 5, CV_8UC1, cv::Scalar(1)));
  expect_mentions(error_of<ImageError>([&] { open().read(0); }), {"Label", "1.png", "4x5", "4x6"});
  write_picture(file("Depth", "1.png"), cv::Mat(5, 6, CV_8UC1, cv::Scalar(1)));
  expect_mentions(error_of<ImageError>([&] { open().read(0); }), {"Depth", "1.png", "5x6", "4x6"});
}

TEST_F(OwnDataset, LabelsMustBeClasses) {
  write("1", {6, 4}, 38);
  expect_mentions(error_of<ImageError>([&] { open(37).read(0); }),
                  {file("Label", "1.png").string(), "label 38", "37 classes"});
  EXPECT_THROW(open(1), ArgumentError);
}

TEST(Dataset, TheOtherLayouts) {
  const TemporaryFolder folder;
  for (const char* name : {"images", "depths", "labels", "RGB", "Depth"}) fs::create_directory(folder / name);
  write_picture(folder / "images" / "0001.png", cv::Mat(2, 3, CV_8UC3, cv::Scalar(1)));
  write_picture(folder / "RGB" / "0001.png", cv::Mat(2, 3, CV_8UC3, cv::Scalar(1)));
  write_picture(folder / "Depth" / "0001.png", cv::Mat(2, 3, CV_8UC1, cv::Scalar(1)));
  write_picture(folder / "labels" / "0001.png", cv::Mat(2, 3, CV_8UC1, cv::Scalar(37)));
  cv::Mat millimetres(2, 3, CV_16UC1, cv::Scalar(900));
  millimetres.at<std::uint16_t>(1, 2) = 4000;
  cv::imwrite((folder / "depths" / "0001.png").string(), millimetres);
  folder.write("train.txt", "0001\n");
  const LabeledImage asymformer = RgbdDataset(folder.path(), "train.txt", asymformer_layout(), 40).read(0);
  EXPECT_EQ(asymformer.labels.at<std::uint8_t>(0, 0), 36);
  EXPECT_EQ(asymformer.image.depth.at<std::uint8_t>(0, 0), 0);
  EXPECT_EQ(asymformer.image.depth.at<std::uint8_t>(1, 2), 255);
  EXPECT_EQ(
      RgbdDataset(folder.path(), "train.txt", sunrgbd_layout(), 37).read(0).labels.at<std::uint8_t>(0, 0),
      36);
}

}  // namespace
}  // namespace dformer
