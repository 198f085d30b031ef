#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "image_test.hpp"
#include <dformer/data/read_images.hpp>

namespace dformer {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::expect_mentions;
using testing::same_pixels;
using testing::TemporaryFolder;

cv::Mat color_image(int height, int width) {
  cv::Mat image(height, width, CV_8UC3);
  cv::randu(image, 0, 256);
  return image;
}

cv::Mat depth_image(int height, int width) {
  cv::Mat image(height, width, CV_16UC1);
  cv::randu(image, 500, 5000);
  return image;
}

TEST(ReadRgbd, SampleInItsUnit) {
  const RgbdImage image =
      read_rgbd(testing::sample("livingroom_kinect2_1440", "rgb.png"),
                testing::sample("livingroom_kinect2_1440", "depth.png"), {MillimetreDepth{}});
  EXPECT_EQ(image.width(), 1440);
  EXPECT_EQ(image.height(), 1080);
  EXPECT_EQ(image.color.type(), CV_8UC3);
  EXPECT_EQ(image.depth.type(), CV_8UC1);
  EXPECT_TRUE(image.warnings.empty());
}

TEST(ReadRgbd, WarningsNameTheFile) {
  const RgbdImage image =
      read_rgbd(testing::sample("livingroom_kinect2_512", "rgb.png"),
                testing::sample("livingroom_kinect2_512", "depth.png"), {MillimetreDepth{}});
  ASSERT_EQ(image.warnings.size(), 1u);
  expect_mentions(image.warnings[0], {"depth.png]", "did you mean sun"});
}

TEST(ReadRgbd, OfficialPictureIsReadAsOpenCvReadsGrey) {
  const std::string file = testing::fixture("end_to_end/tum_desk_640.depth_greys.png").string();
  EXPECT_TRUE(same_pixels(read_depth(file).grey, cv::imread(file, cv::IMREAD_GRAYSCALE)));
}

TEST(ReadRgbd, HighByteIsWhatOpenCvMakesOf16Bits) {
  const std::string file = testing::sample("tum_desk_640", "depth.png").string();
  EXPECT_TRUE(same_pixels(read_depth(file, {HighByteDepth{}}).grey, cv::imread(file, cv::IMREAD_GRAYSCALE)));
}

TEST(ReadRgbd, TheSmallestImages) {
  const TemporaryFolder folder;
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(7, 1), cv::Size(1, 5)}) {
    const cv::Mat color = color_image(size.height, size.width);
    cv::imwrite((folder / "c.png").string(), color);
    cv::imwrite((folder / "d.png").string(), depth_image(size.height, size.width));
    for (HolePolicy holes : {HolePolicy::keep, HolePolicy::as_far, HolePolicy::fill}) {
      const RgbdImage image = read_rgbd(folder / "c.png", folder / "d.png", {MillimetreDepth{}, holes});
      EXPECT_TRUE(same_pixels(image.color, color));
      EXPECT_EQ(image.depth.size(), size);
    }
  }
}

TEST(ReadRgbd, FloatDepth) {
  const TemporaryFolder folder;
  cv::Mat metres;
  depth_image(6, 5).convertTo(metres, CV_32F, 0.001);
  cv::imwrite((folder / "d.tiff").string(), metres);
  EXPECT_TRUE(
      same_pixels(read_depth(folder / "d.tiff", {MetreDepth{}}).grey, encode_depth<MetreDepth>(metres).grey));
}

TEST(ReadRgbd, AlphaIsDropped) {
  const TemporaryFolder folder;
  const cv::Mat four(4, 4, CV_8UC4, cv::Scalar(1, 2, 3, 128));
  cv::imwrite((folder / "c.png").string(), four);
  EXPECT_TRUE(same_pixels(read_color(folder / "c.png"), cv::Mat(4, 4, CV_8UC3, cv::Scalar(1, 2, 3))));
}

TEST(ReadRgbd, OrientationOfACameraIsApplied) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> jpeg;
  cv::imencode(".jpg", color_image(16, 32), jpeg);
  // An EXIF block with one entry: orientation 6, to be turned by a quarter.
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0"
      "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
      36);
  folder.write("turned.jpg", "\xff\xd8" + exif + std::string(jpeg.begin() + 2, jpeg.end()));
  EXPECT_EQ(read_color(folder / "turned.jpg").size(), cv::Size(16, 32));
}

TEST(ReadRgbd, MissingAndDamagedFiles) {
  const TemporaryFolder folder;
  expect_mentions(error_of<ImageError>([&] { read_color(folder / "none.png"); }),
                  {"none.png]", "no such file"});
  expect_mentions(error_of<ImageError>([&] { read_color(folder.path()); }), {"is a folder"});
  folder.write("text.png", "not a picture");
  expect_mentions(error_of<ImageError>([&] { read_color(folder / "text.png"); }),
                  {"text.png]", "cannot be decoded"});
  folder.write("empty.png", "");
  expect_mentions(error_of<ImageError>([&] { read_depth(folder / "empty.png"); }),
                  {"empty.png]", "cannot be decoded"});
}

TEST(ReadRgbd, FilesThatBreakOff) {
  const TemporaryFolder folder;
  const cv::Mat color = color_image(64, 64);
  for (const char* name : {"c.png", "c.jpg"}) {
    cv::imwrite((folder / name).string(), color);
    EXPECT_EQ(read_color(folder / name).size(), color.size());
    std::ifstream stream(folder / name, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(stream), {}};
    for (const std::size_t length : {whole.size() / 2, whole.size() - 40, std::size_t{100}}) {
      folder.write(name, whole.substr(0, length));
      expect_mentions(error_of<ImageError>([&] { read_color(folder / name); }), {name});
    }
    folder.write(name, whole + "what a camera appends");
    EXPECT_EQ(read_color(folder / name).size(), color.size());
  }
}

TEST(ReadRgbd, PreviewInsideOfABrokenFileDoesNotHideIt) {
  const std::vector<std::uint8_t> whole{0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9,
                                        0xff, 0xda, 0,    2,    1, 2, 0xff, 0xd9};
  EXPECT_FALSE(is_truncated_jpeg(whole));
  for (std::size_t length = 4; length < whole.size(); ++length) {
    EXPECT_TRUE(is_truncated_jpeg(std::span(whole).first(length))) << length;
  }
}

TEST(ReadRgbd, WrongKindsOfImages) {
  const TemporaryFolder folder;
  cv::imwrite((folder / "color.png").string(), color_image(6, 8));
  cv::imwrite((folder / "depth.png").string(), depth_image(6, 8));
  cv::imwrite((folder / "grey.png").string(), cv::Mat(6, 8, CV_8UC1, cv::Scalar(7)));
  cv::imwrite((folder / "deep.png").string(), cv::Mat(6, 8, CV_16UC3, cv::Scalar(7, 7, 7)));
  cv::imwrite((folder / "small.png").string(), depth_image(5, 8));
  const DepthOptions mm{MillimetreDepth{}, HolePolicy::keep};
  expect_mentions(error_of<ImageError>([&] { read_rgbd(folder / "depth.png", folder / "color.png", mm); }),
                  {"depth.png]", "16-bit, 1 channel", "is this the depth image", "colour first"});
  expect_mentions(error_of<ImageError>([&] { read_color(folder / "grey.png"); }),
                  {"8-bit, 1 channel", "grey camera"});
  expect_mentions(error_of<ImageError>([&] { read_color(folder / "deep.png"); }),
                  {"16-bit, 3 channels", "convert"});
  expect_mentions(error_of<ImageError>([&] { read_rgbd(folder / "color.png", folder / "color.png", mm); }),
                  {"color.png]", "mm", "3 channels"});
  expect_mentions(error_of<ImageError>([&] { read_rgbd(folder / "color.png", folder / "depth.png"); }),
                  {"depth.png]", "greys", "16-bit", "sun (1/8 mm)"});
  expect_mentions(error_of<ImageError>([&] { read_rgbd(folder / "color.png", folder / "small.png", mm); }),
                  {"color.png", "small.png", "6x8", "5x8", "registered"});
}

TEST(MakeRgbd, TakesImagesInMemory) {
  const cv::Mat color = color_image(6, 8);
  const cv::Mat depth = depth_image(6, 8);
  const RgbdImage image = make_rgbd(color, depth, {MillimetreDepth{}, HolePolicy::fill});
  EXPECT_EQ(image.color.data, color.data) << "colour is shared";
  EXPECT_TRUE(same_pixels(image.depth, encode_depth<MillimetreDepth>(depth, HolePolicy::fill).grey));
  expect_mentions(error_of<ImageError>([&] { make_rgbd(depth, color); }), {"[colour]", "depth image"});
  expect_mentions(error_of<ImageError>([&] { make_rgbd(color, depth); }), {"[depth]", "greys"});
  expect_mentions(error_of<ImageError>([&] { make_rgbd(cv::Mat(), depth); }), {"an empty image"});
  expect_mentions(error_of<ImageError>([&] { make_rgbd(color, depth_image(6, 7), {MillimetreDepth{}}); }),
                  {"6x8", "6x7"});
}

}  // namespace
}  // namespace dformer
