#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/core/error.hpp>
#include <dformer/viz/confusion_picture.hpp>

namespace dformer {
namespace {

/// The middle of the cell's upper edge, where no number is drawn.
cv::Vec3b cell_color(const cv::Mat& picture, int classes, int truth, int predicted) {
  constexpr int cell = 26;
  constexpr int margin = 14;
  const int left = picture.cols - margin - classes * cell;
  const int top = picture.rows - margin - classes * cell;
  return picture.at<cv::Vec3b>(top + truth * cell + 3, left + predicted * cell + cell / 2);
}

TEST(ConfusionPicture, CellsAreAsDarkAsTheirShare) {
  const std::vector<std::int64_t> counts{3, 0, 1, 0, 1, 0, 0, 0, 0};
  const cv::Mat picture = confusion_picture(counts, 3, ClassList({"wall", "floor", "\xC3\xA9t\xC3\xA9"}));
  const auto brightness = [&](int truth, int predicted) {
    const cv::Vec3b color = cell_color(picture, 3, truth, predicted);
    return color[0] + color[1] + color[2];
  };
  EXPECT_LT(brightness(1, 1), brightness(0, 0));
  EXPECT_LT(brightness(0, 0), brightness(0, 2));
  EXPECT_LT(brightness(0, 2), brightness(0, 1));
  for (int k = 0; k < 3; ++k) EXPECT_EQ(cell_color(picture, 3, 2, k), cv::Vec3b(252, 252, 252)) << "absent";
}

TEST(ConfusionPicture, GrowsWithItsClasses) {
  const cv::Mat few = confusion_picture(std::vector<std::int64_t>(4), 2, {});
  const cv::Mat many = confusion_picture(std::vector<std::int64_t>(1600), 40, {});
  EXPECT_EQ(many.cols - few.cols, many.rows - few.rows);
  EXPECT_GT(many.cols, few.cols + 37 * 26);
  EXPECT_THROW(confusion_picture(std::vector<std::int64_t>(5), 2, {}), ArgumentError);
}

}  // namespace
}  // namespace dformer
