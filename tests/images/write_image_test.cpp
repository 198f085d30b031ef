#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

#include "image_test.hpp"
#include <dformer/data/write_image.hpp>

namespace dformer {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::expect_mentions;
using testing::row_of;
using testing::same_pixels;
using testing::TemporaryFolder;

cv::Mat read_back(const std::filesystem::path& file) {
  return cv::imread(file.string(), cv::IMREAD_UNCHANGED);
}

/// While it lives, files cannot grow beyond `bytes`: what a full disk looks like to a writer.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(WriteLabels, AreReadBackExactly) {
  const TemporaryFolder folder;
  cv::Mat labels(16, 16, CV_8UC1);
  for (int i = 0; i < 256; ++i) labels.data[i] = static_cast<std::uint8_t>(i);
  write_labels(folder / "labels.png", labels);
  EXPECT_TRUE(same_pixels(read_back(folder / "labels.png"), labels));
  write_labels(folder / "pixel.PNG", row_of<std::uint8_t>({39}));
  EXPECT_EQ(bytes_of(read_back(folder / "pixel.PNG")), std::vector<int>{39});
}

TEST(WriteLabels, OfficialNumbering) {
  const TemporaryFolder folder;
  write_labels(folder / "labels.png", row_of<std::uint8_t>({0, 39, 253, 255}), LabelNumbering::from_one);
  EXPECT_EQ(bytes_of(read_back(folder / "labels.png")), (std::vector<int>{1, 40, 254, 0}));
  expect_mentions(error_of<ImageError>([&] {
                    write_labels(folder / "other.png", row_of<std::uint8_t>({254}), LabelNumbering::from_one);
                  }),
                  {"other.png", "254"});
  EXPECT_EQ(folder.names(), std::vector<std::string>{"labels.png"});
}

TEST(WriteLabels, OnlyWhatKeepsThem) {
  const TemporaryFolder folder;
  expect_mentions(error_of<ImageError>([&] { write_labels(folder / "l.jpg", row_of<std::uint8_t>({1})); }),
                  {"l.jpg", ".png"});
  expect_mentions(error_of<ImageError>([&] { write_labels(folder / "l.png", row_of<std::uint16_t>({1})); }),
                  {"16-bit"});
  expect_mentions(error_of<ImageError>([&] { write_labels(folder / "l.png", cv::Mat()); }),
                  {"an empty image"});
  EXPECT_TRUE(folder.names().empty());
}

TEST(WritePicture, InTheFormatOfTheExtension) {
  const TemporaryFolder folder;
  const cv::Mat picture(5, 7, CV_8UC3, cv::Scalar(10, 200, 30));
  write_picture(folder / "p.png", picture);
  EXPECT_TRUE(same_pixels(read_back(folder / "p.png"), picture));
  write_picture(folder / "p.jpg", picture);
  EXPECT_EQ(read_back(folder / "p.jpg").size(), picture.size());
  EXPECT_EQ(folder.names().size(), 2u) << "no temporary file is left";
  expect_mentions(error_of<ImageError>([&] { write_picture(folder / "p.xyz", picture); }), {"p.xyz", ".png"});
  expect_mentions(error_of<ImageError>([&] { write_picture(folder / "p", picture); }), {"/p]", ".png"});
  expect_mentions(error_of<ImageError>([&] { write_picture(folder / "p.png", cv::Mat(2, 2, CV_32FC1)); }),
                  {"32-bit float"});
}

TEST(WritePicture, MissingFolder) {
  const TemporaryFolder folder;
  expect_mentions(
      error_of<FileError>([&] { write_picture(folder / "none/p.png", row_of<std::uint8_t>({1})); }),
      {"none/p.png", "No such file", "create the folder"});
}

TEST(WritePicture, UnwritableFolder) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  const TemporaryFolder folder;
  ::chmod(folder.path().c_str(), 0555);
  expect_mentions(error_of<FileError>([&] { write_picture(folder / "p.png", row_of<std::uint8_t>({1})); }),
                  {"p.png", "Permission denied", "may write"});
  ::chmod(folder.path().c_str(), 0755);
}

TEST(WritePicture, FullDiskLeavesTheOldFileAlone) {
  const TemporaryFolder folder;
  const cv::Mat old = row_of<std::uint8_t>({1, 2, 3});
  write_picture(folder / "p.png", old);
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 256);
  {
    const FileSizeLimit limit(1000);
    expect_mentions(error_of<FileError>([&] { write_picture(folder / "p.png", noise); }),
                    {"p.png", "free space"});
  }
  EXPECT_TRUE(same_pixels(read_back(folder / "p.png"), old));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"p.png"});
}

TEST(WritePicture, ReplacesOnlyOrdinaryFiles) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "p.png");
  expect_mentions(error_of<FileError>([&] { write_picture(folder / "p.png", row_of<std::uint8_t>({1})); }),
                  {"p.png", "not an ordinary file"});
  ASSERT_EQ(::mkfifo((folder / "pipe.png").c_str(), 0600), 0);
  expect_mentions(error_of<FileError>([&] { write_picture(folder / "pipe.png", row_of<std::uint8_t>({1})); }),
                  {"pipe.png", "not an ordinary file"});
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe.png"));
}

}  // namespace
}  // namespace dformer
