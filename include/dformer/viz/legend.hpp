#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/data/classes.hpp>
#include <dformer/data/label_numbering.hpp>
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/palette.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {

struct LegendEntry {
  std::size_t index = 0;
  std::string name;
  double share = 0;  ///< of all pixels, 0 … 1
};

/// The classes present in a label map, [H, W] 8-bit, the largest first; ignored pixels (255) make no entry
/// but count in the total.
inline std::vector<LegendEntry> legend_entries(const cv::Mat& labels, const ClassList& classes) {
  std::array<std::size_t, 256> counts{};
  for (int y = 0; y < labels.rows; ++y) {
    const std::uint8_t* row = labels.ptr<std::uint8_t>(y);
    for (int x = 0; x < labels.cols; ++x) ++counts[row[x]];
  }
  std::vector<LegendEntry> entries;
  for (std::size_t index = 0; index < ignored_label; ++index) {
    if (counts[index] == 0) continue;
    entries.push_back({index, classes.name(index),
                       static_cast<double>(counts[index]) / static_cast<double>(labels.total())});
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const LegendEntry& a, const LegendEntry& b) { return a.share > b.share; });
  return entries;
}

/// "12.3%"; "< 0.1%" for what would round to nothing.
inline std::string share_text(double share) {
  if (share < 0.0005) return "< 0.1%";
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", 100 * share);
  return text;
}

namespace detail {

/// All lengths of a legend in pixels, from the height of the picture that it stands beside.
struct LegendLayout {
  int row;      ///< distance of two entries
  int capital;  ///< height of a capital letter
  int swatch;   ///< side of a colour sample
  int margin;   ///< around the panel and between columns
  int rows;     ///< entries in a column
  int columns;
  int name_width;
  int share_width;

  LegendLayout(const std::vector<LegendEntry>& entries, const std::vector<std::string>& names, int height) {
    row = std::clamp(height / 26, 18, 44);
    capital = std::max(7, row * 2 / 5);
    swatch = row * 7 / 10;
    margin = row * 2 / 3;
    rows = std::max(12, (height - 2 * margin) / row);  // beside a small picture, better long than wide
    const int count = std::max(1, static_cast<int>(entries.size()));
    columns = (count + rows - 1) / rows;
    rows = (count + columns - 1) / columns;  // columns of nearly one length
    name_width = 0;
    for (const std::string& name : names) name_width = std::max(name_width, text_width(name, capital));
    name_width = std::min(name_width, 32 * capital);
    share_width = text_width("100.0%", capital);
  }
  int column_width() const { return swatch + margin / 2 + name_width + margin + share_width; }
  int width() const { return columns * column_width() + (columns + 1) * margin + (columns - 1) * margin; }
  int needed_height() const { return rows * row + 2 * margin; }
};

}  // namespace detail

/// A panel that names the classes: colour sample, name, share of the pixels; in several columns where one is
/// too short. 8-bit B, G, R, `height` rows, more beside small pictures. Names that the
/// font cannot show are replaced by their class number.
inline cv::Mat legend_panel(const std::vector<LegendEntry>& entries, int height,
                            const Palette& palette = voc_palette) {
  std::vector<std::string> names;
  for (const LegendEntry& entry : entries) {
    names.push_back(is_drawable(entry.name) ? entry.name : "class " + std::to_string(entry.index));
  }
  const detail::LegendLayout layout(entries, names, height);
  const cv::Vec3b paper(252, 252, 252);
  const cv::Vec3b ink(38, 34, 32);
  const cv::Vec3b soft_ink(120, 114, 110);
  cv::Mat panel(std::max(height, layout.needed_height()), layout.width(), CV_8UC3, cv::Scalar(paper));
  for (int i = 0; i < static_cast<int>(entries.size()); ++i) {
    const LegendEntry& entry = entries[static_cast<std::size_t>(i)];
    const int left = layout.margin + i / layout.rows * (layout.column_width() + 2 * layout.margin);
    const int middle = layout.margin + i % layout.rows * layout.row + layout.row / 2;
    const cv::Rect swatch(left, middle - layout.swatch / 2, layout.swatch, layout.swatch);
    cv::rectangle(panel, swatch, cv::Scalar(to_bgr(palette[entry.index & 255])), cv::FILLED);
    cv::rectangle(panel, swatch, cv::Scalar(soft_ink), 1);
    const int text_left = left + layout.swatch + layout.margin / 2;
    draw_text(panel, fit_text(names[static_cast<std::size_t>(i)], layout.name_width, layout.capital),
              text_left, middle, layout.capital, ink);
    const std::string share = share_text(entry.share);
    const int share_right = text_left + layout.name_width + layout.margin + layout.share_width;
    draw_text(panel, share, share_right - text_width(share, layout.capital), middle, layout.capital,
              soft_ink);
  }
  return panel;
}

}  // namespace dformer
