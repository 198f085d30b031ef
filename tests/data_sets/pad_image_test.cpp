#include <gtest/gtest.h>
#include <support/golden.hpp>

#include "images/image_test.hpp"
#include <dformer/data/normalize.hpp>
#include <dformer/data/pad_image.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::error_of;
using testing::expect_mentions;
using testing::Golden;

cv::Mat image_of(const Array& array, int type) {
  cv::Mat image(static_cast<int>(array.shape[0]), static_cast<int>(array.shape[1]), type);
  for (std::size_t i = 0; i < array.values.size(); ++i)
    image.data[i] = static_cast<std::uint8_t>(array.values[i]);
  return image;
}

TEST(PadImage, AsTheOfficialEvaluationOfSunrgbd) {
  const Golden golden("protocol/transforms");
  const RgbdImage image{image_of(golden.array("rgb"), CV_8UC3), image_of(golden.array("depth"), CV_8UC1), {}};
  const NormalizedImage padded = normalize(pad_image(image, cv::Size(730, 531)));
  ASSERT_EQ(padded.height, 531);
  ASSERT_EQ(padded.width, 730);
  const Array indices = golden.array("valpad.idx");  // of [3, 531, 730]
  const Array color = golden.array("valpad.rgb.val");
  const Array depth = golden.array("valpad.depth.val");
  constexpr std::size_t pixels = 531 * 730;
  for (std::size_t i = 0; i < indices.values.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices.values[i]);
    ASSERT_NEAR(padded.color[index % pixels * 3 + index / pixels], color.values[i], 1e-6) << index;
    ASSERT_NEAR(padded.depth[index % pixels], depth.values[i], 1e-6) << index;
  }
}

TEST(PadImage, LargerImagesAreRefused) {
  const RgbdImage image{cv::Mat(4, 6, CV_8UC3), cv::Mat(4, 6, CV_8UC1), {}};
  expect_mentions(error_of<ImageError>([&] { pad_image(image, {5, 4}); }), {"4x6", "4x5", "without padding"});
}

}  // namespace
}  // namespace dformer
