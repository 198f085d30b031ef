// dformer_doctor on data sets that are broken on purpose, each in one way: it names the fault and nothing
// else.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "programs/doctor.hpp"
#include <dformer/data/dataset_findings.hpp>
#include <dformer/data/scene/write_dataset.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
namespace found = dataset_findings;
using testing::diagnose;
using testing::Diagnosis;
using testing::expect_only;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

/// Changes every pixel of an image of one channel.
template <class Pixel, class Change>
void change_pixels(const fs::path& file, const Change& change) {
  cv::Mat image = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x)
      image.at<Pixel>(y, x) = static_cast<Pixel>(change(image.at<Pixel>(y, x), x, y));
  }
  cv::imwrite(file.string(), image);
}
template <class Change>
void change_labels(const fs::path& folder, const Change& change) {
  for (const auto& entry : fs::directory_iterator(folder)) change_pixels<std::uint8_t>(entry.path(), change);
}
void cut(const fs::path& file) {
  fs::resize_file(file, fs::file_size(file) / 2);
}
void append(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app | std::ios::binary) << text;
}
void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}
void write_image(const fs::path& file, const cv::Mat& image) {
  cv::imwrite(file.string(), image);
}

/// Sound data sets of made rooms in every layout.
class DoctorData : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    sets_ = new TemporaryFolder;
    scene::DatasetOptions options{.train = 4, .test = 2};
    options.view.width = 64;
    options.view.height = 48;
    scene::write_dataset(*sets_ / "nyudepthv2", options);

    fs::copy(*sets_ / "nyudepthv2", *sets_ / "sunrgbd", fs::copy_options::recursive);
    fs::rename(*sets_ / "sunrgbd/Label", *sets_ / "sunrgbd/labels");
    fs::remove(*sets_ / "sunrgbd/classes.txt");

    options.depth = scene::DepthFiles::mm;
    scene::write_dataset(*sets_ / "asymformer", options);
    for (const auto& [from, to] : {std::pair("RGB", "images"), {"Depth", "depths"}, {"Label", "labels"}})
      fs::rename(*sets_ / "asymformer" / from, *sets_ / "asymformer" / to);
    write(*sets_ / "asymformer/train.txt", "train_00000\ntrain_00001\ntrain_00002\ntrain_00003\n");
    write(*sets_ / "asymformer/test.txt", "test_00000\ntest_00001\n");

    fs::copy(*sets_ / "nyudepthv2", *sets_ / "custom", fs::copy_options::recursive);
    change_labels(*sets_ / "custom/Label", [](int label, int x, int) { return label == 0 ? 0 : 1 + x % 3; });
    write(*sets_ / "custom/classes.txt", "left\nmiddle\nright\n");
  }
  static void TearDownTestSuite() { delete sets_; }

  struct Broken {
    std::string fault;
    const FindingKind& kind;
    std::string mentions;
    std::function<void(const fs::path& set)> damage;
    std::string set = "nyudepthv2";
    Words options = {};
  };

  Diagnosis check(const fs::path& set, const Words& options) const {
    Words arguments{"--data", set.string(), "--threads", "2"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return diagnose(folder_, arguments);
  }
  void expect_named(const std::vector<Broken>& cases) const {
    for (const Broken& broken : cases) {
      SCOPED_TRACE(broken.fault);
      const fs::path copy = folder_ / "set";
      fs::remove_all(copy);
      fs::copy(*sets_ / broken.set, copy, fs::copy_options::recursive);
      broken.damage(copy);
      expect_only(check(copy, broken.options), broken.kind, broken.mentions);
    }
  }

  static inline TemporaryFolder* sets_ = nullptr;
  TemporaryFolder folder_;
};

TEST_F(DoctorData, NothingIsWrongWithSoundSets) {
  for (const char* set : {"nyudepthv2", "sunrgbd", "asymformer", "custom"}) {
    for (const Words& options : {Words{}, Words{"--dataset", set}, Words{"--all"}}) {
      SCOPED_TRACE(set);
      const Diagnosis diagnosis = check(*sets_ / set, options);
      EXPECT_EQ(diagnosis.kinds(), std::set<std::string>{}) << diagnosis.outcome.out;
      EXPECT_EQ(diagnosis.outcome.exit_code, 0);
      testing::expect_mentions(diagnosis.outcome.out, {"4 lines, 4 items decoded", "48x64"});
    }
  }
}

TEST_F(DoctorData, FilesThatAreNotThere) {
  expect_named({
      {"no such folder", found::no_dataset, "set", [](const fs::path& set) { fs::remove_all(set); }},
      {"a folder of another name", found::missing_folder, "depth_png",
       [](const fs::path& set) { fs::rename(set / "Depth", set / "depth_png"); }},
      {"another layout than named",
       found::wrong_layout,
       "--dataset sunrgbd",
       [](const fs::path&) {},
       "sunrgbd",
       {"--dataset", "nyudepthv2", "--classes", "sunrgbd37"}},
      {"another layout than named, which has an encoding of its own",
       found::wrong_layout,
       "--dataset nyudepthv2",
       [](const fs::path&) {},
       "nyudepthv2",
       {"--dataset", "asymformer"}},
      {"another layout than named, with an encoding",
       found::wrong_layout,
       "--dataset sunrgbd",
       [](const fs::path& set) {
         for (const auto& entry : fs::directory_iterator(set / "Depth")) {
           cv::Mat millimetres;
           cv::imread(entry.path(), cv::IMREAD_UNCHANGED).convertTo(millimetres, CV_16U, 15, 800);
           write_image(entry.path(), millimetres);
         }
       },
       "sunrgbd",
       {"--dataset", "nyudepthv2", "--classes", "sunrgbd37", "--depth-encoding", "mm"}},
      {"a missing colour image", found::missing_color, "train.txt:3: no RGB/train_00002.jpg",
       [](const fs::path& set) { fs::remove(set / "RGB/train_00002.jpg"); }},
      {"a missing depth image", found::missing_depth, "train.txt:3: no Depth/train_00002.png",
       [](const fs::path& set) { fs::remove(set / "Depth/train_00002.png"); }},
      {"a missing label image", found::missing_labels, "test.txt:1: no labels/test_00000.png",
       [](const fs::path& set) { fs::remove(set / "labels/test_00000.png"); }, "sunrgbd"},
      {"a name twice in a folder", found::ambiguous_image, "train_00001.png",
       [](const fs::path& set) { fs::copy(set / "Depth/train_00001.png", set / "RGB/train_00001.png"); }},
  });
}

TEST_F(DoctorData, Lists) {
  expect_named({
      {"no list", found::missing_list, "validation.txt",
       [](const fs::path& set) { fs::rename(set / "test.txt", set / "validation.txt"); }},
      {"a list in UTF-16", found::unreadable_list, "test.txt:null: line 1 is no UTF-8 text (UTF-16?)",
       [](const fs::path& set) {
         write(set / "test.txt", std::string("\xFF\xFE"
                                             "2\0\n\0",
                                             6));
       }},
      {"a list that leads elsewhere", found::unreadable_list, "test.txt:null: line 2: '../2' leads out of",
       [](const fs::path& set) { write(set / "test.txt", "RGB/test_00000.jpg\nRGB/../2.png\n"); }},
      {"an empty list", found::empty_list, "train.txt",
       [](const fs::path& set) { write(set / "train.txt", "\n"); }},
      {"a line that names nothing", found::names_nothing, "test.txt:3: chair.jpg",
       [](const fs::path& set) { append(set / "test.txt", "RGB/chair.jpg Label/chair.png\n"); }},
      {"a name with a blank", found::names_nothing,
       "test.txt:3: my; a name ends at the first blank, and the line has 4 words",
       [](const fs::path& set) { append(set / "test.txt", "RGB/my chair.jpg Label/my chair.png\n"); }},
      {"a line twice", found::duplicate_entry, "train.txt:6: train_00001 is on line 2",
       [](const fs::path& set) { append(set / "train.txt", "\ntrain_00001\n"); }},
      {"an image in both lists", found::overlap, "test.txt:3: train_00003 is on line 4 of train.txt",
       [](const fs::path& set) { append(set / "test.txt", "train_00003\n"); }, "asymformer"},
  });
}

TEST_F(DoctorData, Images) {
  const cv::Mat small_grey(24, 32, CV_8UC1, cv::Scalar(7));
  expect_named({
      {"colour that breaks off", found::unreadable_image,
       "RGB/test_00001.jpg:null: is a JPEG image that breaks off",
       [](const fs::path& set) { cut(set / "RGB/test_00001.jpg"); }},
      {"depth that breaks off", found::unreadable_image, "Depth/train_00000.png",
       [](const fs::path& set) { cut(set / "Depth/train_00000.png"); }},
      {"labels that are a text", found::unreadable_image, "Label/train_00000.png",
       [](const fs::path& set) { write(set / "Label/train_00000.png", "not found"); }},
      {"depth in the place of colour", found::color_type, "is this the depth image?",
       [](const fs::path& set) {
         fs::remove(set / "RGB/train_00003.jpg");
         fs::copy(set / "Depth/train_00003.png", set / "RGB/train_00003.png");
       }},
      {"millimetres read as a picture",
       found::depth_type,
       "pass its unit: mm, sun",
       [](const fs::path&) {},
       "asymformer",
       {"--depth-encoding", "greys"}},
      {"a picture read as millimetres",
       found::depth_type,
       "pass greys",
       [](const fs::path&) {},
       "custom",
       {"--depth-encoding", "mm"}},
      {"depth of another size", found::depth_size, "Depth/test_00000.png:null: 47x64, colour is 48x64",
       [](const fs::path& set) {
         const std::string file = set / "Depth/test_00000.png";
         write_image(file, cv::imread(file, cv::IMREAD_UNCHANGED).rowRange(0, 47).clone());
       }},
      {"labels of another size", found::label_size, "Label/test_00000.png:null: 24x32, colour is 48x64",
       [&](const fs::path& set) { write_image(set / "Label/test_00000.png", small_grey); }},
      {"labels in colours", found::label_type, "3 channels: labels in colours, or a palette",
       [](const fs::path& set) {
         write_image(set / "Label/train_00002.png", cv::Mat(48, 64, CV_8UC3, cv::Scalar(1, 2, 3)));
       }},
      {"labels as JPEG", found::lossy_labels, "Label/train_00002.jpg:null: is a JPEG image",
       [](const fs::path& set) {
         fs::remove(set / "Label/train_00002.png");
         write_image(set / "Label/train_00002.jpg", cv::Mat(48, 64, CV_8UC1, cv::Scalar(1)));
       }},
      {"labels as JPEG under another name", found::lossy_labels,
       "Label/train_00002.png:null: is a JPEG image",
       [](const fs::path& set) {
         write_image(set / "labels.jpg", cv::Mat(48, 64, CV_8UC1, cv::Scalar(1)));
         fs::rename(set / "labels.jpg", set / "Label/train_00002.png");
       }},
      {"metric depth without depth",
       found::suspicious_depth,
       "has one value only (2000)",
       [](const fs::path& set) {
         write_image(set / "depths/train_00002.png", cv::Mat(48, 64, CV_16UC1, cv::Scalar(2000)));
       },
       "asymformer",
       {"--depth-encoding", "mm"}},
      {"depth without depth", found::suspicious_depth, "one value only",
       [](const fs::path& set) {
         write_image(set / "Depth/train_00002.png", cv::Mat(48, 64, CV_8UC1, cv::Scalar(9)));
       }},
      {"depth in another unit", found::suspicious_depth, "when read as mm; did you mean",
       [](const fs::path& set) {
         for (const auto& entry : fs::directory_iterator(set / "depths"))
           change_pixels<std::uint16_t>(entry.path(),
                                        [](int depth, int, int) { return std::min(8 * depth, 65000); });
       },
       "asymformer"},
  });
}

TEST_F(DoctorData, Labels) {
  const auto relabel = [](const std::string& folder, auto change) {
    return [folder, change](const fs::path& set) { change_labels(set / folder, change); };
  };
  const auto from_zero = relabel("Label", [](int label, int, int) { return label == 0 ? 255 : label - 1; });
  expect_named({
      {"numbered from 0, 255 ignored", found::label_offset, "0 to 2 and 255 occur", from_zero, "custom"},
      {"numbered from 0, nothing ignored", found::likely_label_offset,
       "every number from 0 to 2 occurs and 3",
       relabel("Label", [](int label, int, int) { return label == 0 ? 0 : label - 1; }), "custom"},
      {"numbered from 1, read from 0",
       found::label_offset,
       "numbered from 1",
       [](const fs::path&) {},
       "custom",
       {"--labels-from-zero"}},
      {"255 where 0 is ignored", found::label_255, "Label/train_00001.png:null: label 255",
       [](const fs::path& set) {
         change_pixels<std::uint8_t>(set / "Label/train_00001.png",
                                     [](int label, int x, int y) { return x == 3 && y == 4 ? 255 : label; });
       }},
      {"a label that is no class", found::label_out_of_range,
       "Label/test_00001.png:null: label 41; 40 classes",
       [](const fs::path& set) {
         change_pixels<std::uint8_t>(set / "Label/test_00001.png",
                                     [](int label, int x, int y) { return x == 63 && y == 47 ? 41 : label; });
       }},
      {"too few names for the labels", found::label_out_of_range, "label 3; 2 classes",
       [](const fs::path& set) { write(set / "classes.txt", "left\nmiddle\n"); }, "custom"},
      {"one class", found::class_names, "1 names, 2 to 255 are possible",
       [](const fs::path& set) {
         write(set / "classes.txt", "room\n");
         change_labels(set / "Label", [](int, int, int) { return 1; });
       },
       "custom"},
      {"a name twice", found::class_names, "repeats",
       [](const fs::path& set) { append(set / "classes.txt", "left\n"); }, "custom"},
      {"an image without labels", found::nothing_labelled, "labels/train_00000.png",
       [](const fs::path& set) {
         change_pixels<std::uint8_t>(set / "labels/train_00000.png", [](int, int, int) { return 0; });
       },
       "sunrgbd"},
      {"few labels", found::mostly_ignored, "% have the ignored label 0",
       relabel("Label", [](int label, int x, int) { return x > 20 ? 0 : label; })},
  });
  // What is numbered from 0 is sound when that is said.
  fs::copy(*sets_ / "custom", folder_ / "zero", fs::copy_options::recursive);
  from_zero(folder_ / "zero");
  EXPECT_EQ(check(folder_ / "zero", {"--labels-from-zero"}).kinds(), std::set<std::string>{});
}

TEST_F(DoctorData, OneRunNamesEverything) {
  const fs::path set = folder_ / "set";
  fs::copy(*sets_ / "nyudepthv2", set, fs::copy_options::recursive);
  fs::remove(set / "Depth/train_00000.png");
  cut(set / "RGB/train_00001.jpg");
  change_labels(set / "Label", [](int label, int x, int) { return x == 0 ? 77 : label; });
  append(set / "train.txt", "RGB/train_00003.jpg\n");
  const Diagnosis diagnosis = check(set, {"--strict"});
  EXPECT_EQ(diagnosis.kinds(), (std::set<std::string>{"missing_depth", "unreadable_image",
                                                      "label_out_of_range", "duplicate_entry"}));
  EXPECT_EQ(diagnosis.outcome.exit_code, 1);
  EXPECT_EQ(diagnosis.finding(found::label_out_of_range).at("count"), 6);
  EXPECT_EQ(diagnosis.finding(found::label_out_of_range).at("places").size(), 5u);
  testing::expect_mentions(diagnosis.outcome.out, {"… and 1 more", "3 errors"});
}

TEST_F(DoctorData, WarningsCountOnlyWhenStrict) {
  const fs::path set = folder_ / "set";
  fs::copy(*sets_ / "nyudepthv2", set, fs::copy_options::recursive);
  append(set / "train.txt", "train_00003\n");
  EXPECT_EQ(check(set, {}).outcome.exit_code, 0);
  EXPECT_EQ(check(set, {"--strict"}).outcome.exit_code, 1);
}

}  // namespace
}  // namespace dformer
