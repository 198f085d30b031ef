#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "image_test.hpp"
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/palette.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::row_of;

TEST(Palette, IsTheOfficialOne) {
  std::ifstream file(testing::fixture("protocol/palette.json"));
  const nlohmann::json official = nlohmann::json::parse(file);
  ASSERT_EQ(official.at("order"), "R,G,B");
  ASSERT_EQ(official.at("nyucmap").size(), 256u);
  for (std::size_t i = 0; i < 256; ++i) {
    const auto& color = official.at("nyucmap")[i];
    EXPECT_EQ(voc_palette[i], (Rgb{color[0], color[1], color[2]})) << i;
  }
}

TEST(LabelImage, ClassKHasColourK) {
  const cv::Mat picture = label_image(row_of<std::uint8_t>({0, 1, 2, 255}));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(0, 0, 128)) << "B, G, R";
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 2), cv::Vec3b(0, 128, 0));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 3), cv::Vec3b(192, 224, 224));
}

TEST(LabelImage, OtherPalettesAndTypes) {
  Palette palette{};
  palette[7] = {1, 2, 3};
  EXPECT_EQ(label_image(row_of<std::uint8_t>({7}), palette).at<cv::Vec3b>(0, 0), cv::Vec3b(3, 2, 1));
  expect_mentions(error_of<ImageError>([] { label_image(row_of<float>({7})); }),
                  {"label_image", "32-bit float"});
  expect_mentions(error_of<ImageError>([] { label_image(cv::Mat()); }), {"an empty image"});
}

}  // namespace
}  // namespace dformer
