#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "image_test.hpp"
#include <dformer/viz/legend.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {
namespace {

using testing::row_of;

/// Rows in which a colour appears.
int rows_with(const cv::Mat& panel, cv::Vec3b color) {
  int rows = 0;
  for (int y = 0; y < panel.rows; ++y) {
    bool found = false;
    for (int x = 0; x < panel.cols; ++x) found = found || panel.at<cv::Vec3b>(y, x) == color;
    rows += found;
  }
  return rows;
}

std::vector<LegendEntry> many_entries(std::size_t count) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back({i, "class number " + std::to_string(i), 0.01});
  return entries;
}

TEST(Legend, ClassesPresentBySize) {
  const ClassList classes({"wall", "floor", "bed"});
  const std::vector<LegendEntry> entries =
      legend_entries(row_of<std::uint8_t>({2, 2, 2, 2, 0, 0, 9, 9, 255, 255}), classes);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "bed");
  EXPECT_DOUBLE_EQ(entries[0].share, 0.4);
  EXPECT_EQ(entries[1].name, "wall") << "equal shares keep the order of the classes";
  EXPECT_EQ(entries[2].name, "class 9");
  EXPECT_EQ(entries[2].index, 9u);
}

TEST(Legend, Shares) {
  EXPECT_EQ(share_text(1), "100.0%");
  EXPECT_EQ(share_text(0.1234), "12.3%");
  EXPECT_EQ(share_text(0.0004), "< 0.1%");
}

TEST(Legend, EveryEntryHasItsSwatch) {
  for (const int height : {480, 1080}) {
    const cv::Mat panel = legend_panel(many_entries(40), height);
    EXPECT_EQ(panel.rows, height);
    EXPECT_LT(panel.cols, height * 3 / 2);
    for (std::size_t i = 0; i < 40; ++i)
      EXPECT_GE(rows_with(panel, to_bgr(voc_palette[i])), 5) << "class " << i;
  }
}

TEST(Legend, ReadableBesideTinyImages) {
  const cv::Mat panel = legend_panel(many_entries(3), 1);
  EXPECT_GE(panel.rows, 3 * 18) << "one column";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(rows_with(panel, to_bgr(voc_palette[i])), 5) << "class " << i;
  EXPECT_FALSE(legend_panel({}, 1).empty());
}

TEST(Legend, LongNamesDoNotWidenItWithoutEnd) {
  std::vector<LegendEntry> entries = many_entries(2);
  const int usual = legend_panel(entries, 480).cols;
  entries[1].name = std::string(500, 'w');
  const int wide = legend_panel(entries, 480).cols;
  EXPECT_GT(wide, usual);
  EXPECT_LT(wide, 480);
}

TEST(Legend, NamesThatTheFontLacksBecomeNumbers) {
  std::vector<LegendEntry> foreign{{5, "\xE5\xA2\x99", 0.5}};
  const std::vector<LegendEntry> numbered{{5, "class 5", 0.5}};
  EXPECT_TRUE(testing::same_pixels(legend_panel(foreign, 480), legend_panel(numbered, 480)));
}

TEST(Text, FitsOrIsCut) {
  EXPECT_TRUE(is_drawable("night stand (2)"));
  EXPECT_FALSE(is_drawable("caf\xC3\xA9"));
  EXPECT_EQ(fit_text("bed", 1000, 8), "bed");
  const std::string cut = fit_text(std::string(100, 'w'), 120, 8);
  EXPECT_TRUE(cut.ends_with("..."));
  EXPECT_LE(text_width(cut, 8), 120);
}

TEST(Text, IsCutOffAtTheEdgesOfTheCanvas) {
  for (const int left : {-20, 0, 30}) {
    for (const int middle : {-3, 5, 12}) {
      cv::Mat canvas(10, 40, CV_8UC3, cv::Scalar(255, 255, 255));
      EXPECT_NO_THROW(draw_text(canvas, "clipped text", left, middle, 8, {0, 0, 0}));
      EXPECT_GE(rows_with(canvas, {255, 255, 255}), 1);
    }
  }
  cv::Mat canvas(20, 60, CV_8UC3, cv::Scalar(255, 255, 255));
  draw_text(canvas, "I", 10, 10, 10, {0, 0, 0});
  EXPECT_GE(rows_with(canvas, {0, 0, 0}), 4) << "the stem of a letter is fully covered";
}

}  // namespace
}  // namespace dformer
