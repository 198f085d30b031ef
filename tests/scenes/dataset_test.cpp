#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "images/image_test.hpp"
#include "programs/run.hpp"
#include <dformer/data/scene/write_dataset.hpp>

namespace dformer::testing {
namespace {

namespace fs = std::filesystem;
using scene::DatasetOptions;

DatasetOptions few() {
  DatasetOptions options;
  options.train = 3;
  options.test = 2;
  options.view.width = 48;
  options.view.height = 36;
  return options;
}

std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), folder).string());
  return files;
}

TEST(WriteDataset, HasTheOfficialLayout) {
  const TemporaryFolder folder;
  write_dataset(folder / "set", few());
  EXPECT_EQ(files_below(folder / "set"),
            (std::set<std::string>{"Depth/test_00000.png", "Depth/test_00001.png", "Depth/train_00000.png",
                                   "Depth/train_00001.png", "Depth/train_00002.png", "Label/test_00000.png",
                                   "Label/test_00001.png", "Label/train_00000.png", "Label/train_00001.png",
                                   "Label/train_00002.png", "RGB/test_00000.jpg", "RGB/test_00001.jpg",
                                   "RGB/train_00000.jpg", "RGB/train_00001.jpg", "RGB/train_00002.jpg",
                                   "classes.txt", "test.txt", "train.txt"}));
  EXPECT_EQ(read_text(folder / "set/train.txt"),
            "RGB/train_00000.jpg Label/train_00000.png\n"
            "RGB/train_00001.jpg Label/train_00001.png\n"
            "RGB/train_00002.jpg Label/train_00002.png\n");
  EXPECT_EQ(read_text(folder / "set/test.txt"),
            "RGB/test_00000.jpg Label/test_00000.png\n"
            "RGB/test_00001.jpg Label/test_00001.png\n");
  EXPECT_EQ(read_classes(folder / "set/classes.txt").names(), ClassList(nyu_depth_v2_classes).names());
}

TEST(WriteDataset, FilesHoldTheView) {
  const TemporaryFolder folder;
  const DatasetOptions options = few();
  write_dataset(folder.path(), options);
  const scene::LabeledView view = make_view(scene::Split::test, 1, options);
  const cv::Mat color = cv::imread(folder / "RGB/test_00001.jpg", cv::IMREAD_UNCHANGED);
  EXPECT_EQ(color.type(), CV_8UC3);
  EXPECT_LT(cv::norm(color, view.color, cv::NORM_L1) / static_cast<double>(color.total()), 15.0);
  const cv::Mat depth = cv::imread(folder / "Depth/test_00001.png", cv::IMREAD_UNCHANGED);
  EXPECT_TRUE(same_pixels(depth, encode_depth<MillimetreDepth>(view.depth, HolePolicy::as_near).grey));
  const cv::Mat labels = cv::imread(folder / "Label/test_00001.png", cv::IMREAD_UNCHANGED);
  ASSERT_EQ(labels.type(), CV_8UC1);
  for (int y = 0; y < labels.rows; ++y) {
    for (int x = 0; x < labels.cols; ++x)
      ASSERT_EQ(labels.at<std::uint8_t>(y, x), (view.labels.at<std::uint8_t>(y, x) + 1) & 255);
  }
}

TEST(WriteDataset, WritesMillimetresOnRequest) {
  const TemporaryFolder folder;
  DatasetOptions options = few();
  options.depth = scene::DepthFiles::mm;
  write_dataset(folder.path(), options);
  const cv::Mat depth = cv::imread(folder / "Depth/train_00002.png", cv::IMREAD_UNCHANGED);
  EXPECT_TRUE(same_pixels(depth, make_view(scene::Split::train, 2, options).depth));
}

TEST(WriteDataset, DoesNotDependOnThreads) {
  const TemporaryFolder folder;
  DatasetOptions options = few();
  options.threads = 1;
  write_dataset(folder / "one", options);
  options.threads = 4;
  write_dataset(folder / "four", options);
  const auto files = files_below(folder / "one");
  EXPECT_EQ(files, files_below(folder / "four"));
  for (const std::string& file : files)
    EXPECT_EQ(read_text(folder / "one" / file), read_text(folder / "four" / file)) << file;
}

TEST(WriteDataset, MoreTrainingImagesLeaveTheOthersAsTheyAre) {
  const TemporaryFolder folder;
  DatasetOptions options = few();
  write_dataset(folder / "few", options);
  options.train = 5;
  write_dataset(folder / "more", options);
  for (const char* file : {"RGB/train_00002.jpg", "Depth/test_00001.png", "Label/test_00000.png"})
    EXPECT_EQ(read_text(folder / "few" / file), read_text(folder / "more" / file)) << file;
  EXPECT_NE(read_text(folder / "few/RGB/train_00000.jpg"), read_text(folder / "few/RGB/test_00000.jpg"));
}

TEST(WriteDataset, CountsItsLabels) {
  const TemporaryFolder folder;
  DatasetOptions options = few();
  options.classes = scene::make_class_set(std::initializer_list<std::string_view>{"chair"});
  const LabelCounts counts = write_dataset(folder.path(), options);
  std::uint64_t sum = 0;
  for (std::size_t k = 0; k < counts.pixels.size(); ++k) {
    sum += counts.pixels[k];
    const bool expected = k == scene::ignored || options.classes.contains(static_cast<std::uint8_t>(k));
    EXPECT_TRUE(expected || counts.pixels[k] == 0) << k;
  }
  EXPECT_EQ(sum, 5u * 48 * 36);
}

TEST(WriteDataset, RefusesBadOptionsBeforeItWrites) {
  const TemporaryFolder folder;
  const auto refused = [&](auto change) {
    DatasetOptions options = few();
    change(options);
    return error_of<ArgumentError>([&] { write_dataset(folder / "set", options); });
  };
  expect_mentions(refused([](DatasetOptions& o) { o.view.width = 16; }), {"36x16", "32"});
  expect_mentions(refused([](DatasetOptions& o) { o.view.height = 100000; }), {"100000x48", "4096"});
  expect_mentions(refused([](DatasetOptions& o) { o.train = -1; }), {"-1 training"});
  expect_mentions(refused([](DatasetOptions& o) { o.train = o.test = 0; }), {"0 training and 0 test"});
  expect_mentions(refused([](DatasetOptions& o) { o.threads = 0; }), {"0 threads"});
  EXPECT_FALSE(fs::exists(folder / "set"));
}

TEST(WriteDataset, LeavesADataSetAlone) {
  const TemporaryFolder folder;
  folder.write("train.txt", "mine\n");
  const std::string text = error_of<ImageError>([&] { write_dataset(folder.path(), few()); });
  expect_mentions(text, {"train.txt", "choose another folder"});
  EXPECT_EQ(files_below(folder.path()), std::set<std::string>{"train.txt"});
}

TEST(WriteDataset, NamesTheFolderThatCannotBeMade) {
  const TemporaryFolder folder;
  folder.write("file", "");
  const std::string text = error_of<ImageError>([&] { write_dataset(folder / "file/set", few()); });
  expect_mentions(text, {"file/set"});
}

TEST(WriteDataset, HasNoListsWhereItDidNotEnd) {
  const TemporaryFolder folder;
  const auto stop = [](int done, int) {
    if (done == 2) throw std::runtime_error("enough");
  };
  EXPECT_THROW(write_dataset(folder.path(), few(), stop), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder / "train.txt"));
  EXPECT_FALSE(fs::exists(folder / "test.txt"));
}

}  // namespace
}  // namespace dformer::testing
