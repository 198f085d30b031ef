#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "image_test.hpp"
#include <dformer/data/image_list.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

class PairImages : public ::testing::Test {
 protected:
  PairImages() {
    std::filesystem::create_directory(folder_ / "rgb");
    std::filesystem::create_directory(folder_ / "depth");
  }
  void color(const std::string& name) const { folder_.write("rgb/" + name, ""); }
  void depth(const std::string& name) const { folder_.write("depth/" + name, ""); }
  ImageList pair() const { return pair_images(folder_ / "rgb", folder_ / "depth"); }
  std::string error() const {
    return error_of<ImageError>([&] { pair(); });
  }

  testing::TemporaryFolder folder_;
};

TEST(NaturalOrder, ComparesNumbersAsNumbers) {
  std::vector<std::string> names{"img10", "img2", "img1b", "img1",   "img02",  "10",
                                 "9",     "b",    "",      "img1a5", "img1a10"};
  std::sort(names.begin(), names.end(), natural_less);
  EXPECT_EQ(names, (std::vector<std::string>{"", "9", "10", "b", "img1", "img1a5", "img1a10", "img1b",
                                             "img02", "img2", "img10"}));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_TRUE(natural_less("99999999999999999999998", "99999999999999999999999"))
      << "longer than any integer type";
}

TEST_F(PairImages, ByStemInNaturalOrder) {
  for (const char* name : {"10.jpg", "2.JPG", "1.jpeg", "notes.txt"}) color(name);
  for (const char* name : {"1.png", "2.png", "10.tiff", "11.png", "Thumbs.db"}) depth(name);
  std::filesystem::create_directory(folder_ / "rgb/deeper.png");
  const ImageList list = pair();
  ASSERT_EQ(list.pairs.size(), 3u);
  EXPECT_EQ(list.pairs[0].stem(), "1");
  EXPECT_EQ(list.pairs[1].stem(), "2");
  EXPECT_EQ(list.pairs[2].stem(), "10");
  EXPECT_EQ(list.pairs[2].color, folder_ / "rgb/10.jpg");
  EXPECT_EQ(list.pairs[2].depth, folder_ / "depth/10.tiff");
  EXPECT_EQ(list.ignored_files, 2u);
  EXPECT_EQ(list.unused_depth, 1u);
}

TEST_F(PairImages, TwoFilesOfAnyName) {
  color("a.jpg");
  depth("b.png");
  const ImageList list = pair_images(folder_ / "rgb/a.jpg", folder_ / "depth/b.png");
  ASSERT_EQ(list.pairs.size(), 1u);
  EXPECT_EQ(list.pairs[0].depth, folder_ / "depth/b.png");
}

TEST_F(PairImages, FileWithItsPartnerInAFolder) {
  color("a.jpg");
  depth("a.png");
  depth("b.png");
  const ImageList list = pair_images(folder_ / "rgb/a.jpg", folder_ / "depth");
  ASSERT_EQ(list.pairs.size(), 1u);
  EXPECT_EQ(list.pairs[0].depth, folder_ / "depth/a.png");
  expect_mentions(error_of<ImageError>([&] { pair_images(folder_ / "rgb", folder_ / "depth/a.png"); }),
                  {"a.png", "is one file", "is a folder"});
}

TEST_F(PairImages, MissingPartnersAreCountedAndNamed) {
  for (int i = 1; i <= 9; ++i) color(std::to_string(i) + ".jpg");
  depth("3.png");
  expect_mentions(error(),
                  {"depth]", "8 of 9", "1.jpg, 2.jpg, 4.jpg, 5.jpg, 6.jpg, and 3 more", "same file name"});
}

TEST_F(PairImages, AmbiguousStems) {
  color("1.jpg");
  color("1.png");
  depth("1.png");
  expect_mentions(error(), {"rgb]", "1.jpg", "1.png", "extension"});
}

TEST_F(PairImages, NothingToPair) {
  color("1.txt");
  depth("1.png");
  expect_mentions(error(), {"rgb]", "no colour images", "1 files of other kinds"});
  expect_mentions(error_of<ImageError>([&] { pair_images(folder_ / "none", folder_ / "depth"); }),
                  {"none]", "no such"});
  expect_mentions(error_of<ImageError>([&] { pair_images(folder_ / "depth", folder_ / "none"); }),
                  {"none]", "no such"});
}

}  // namespace
}  // namespace dformer
