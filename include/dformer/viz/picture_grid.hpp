#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {

/// Pictures in rows and columns, with a title over each column.
struct PictureGrid {
  std::vector<std::string> titles;
  std::vector<std::vector<cv::Mat>> rows;  ///< 8-bit, B, G, R or grey; an empty one leaves its cell free
  int cell_width = 320;                    ///< pictures are scaled to it; a row is as high as its highest
  int gap = 8;
};

namespace detail {

/// A picture at the width of a cell. Enlarged it keeps its pixels' edges, so that labels stay labels.
inline cv::Mat fit_cell(const cv::Mat& picture, int width) {
  if (picture.empty()) return {};
  if (picture.type() != CV_8UC3 && picture.type() != CV_8UC1) {
    throw_image_error("picture_grid",
                      "expected pictures with 8 bits, grey or B, G, R; got " + describe(picture));
  }
  cv::Mat color = picture;
  if (picture.channels() == 1) cv::cvtColor(picture, color, cv::COLOR_GRAY2BGR);
  const int height = std::max(1, color.rows * width / color.cols);
  cv::Mat scaled;
  cv::resize(color, scaled, {width, height}, 0, 0, color.cols < width ? cv::INTER_NEAREST : cv::INTER_AREA);
  return scaled;
}

}  // namespace detail

/// Draws it on light paper: 8-bit B, G, R. Throws: ImageError for another type of picture, ArgumentError for
/// a grid without a row or a column.
inline cv::Mat draw_grid(const PictureGrid& grid) {
  const std::size_t columns = grid.titles.size();
  if (columns == 0 || grid.rows.empty())
    throw_argument_error("[picture_grid] a grid needs a row and a title");
  const int title_height = std::max(22, grid.cell_width / 12);
  std::vector<std::vector<cv::Mat>> cells;
  int height = title_height;
  for (const auto& row : grid.rows) {
    auto& scaled = cells.emplace_back();
    int row_height = 0;
    for (const cv::Mat& picture : row) {
      scaled.push_back(detail::fit_cell(picture, grid.cell_width));
      row_height = std::max(row_height, scaled.back().rows);
    }
    height += row_height + grid.gap;
  }
  const int width = static_cast<int>(columns) * (grid.cell_width + grid.gap) + grid.gap;
  cv::Mat canvas(height, width, CV_8UC3, cv::Scalar(252, 252, 252));
  const auto left = [&](std::size_t column) {
    return grid.gap + static_cast<int>(column) * (grid.cell_width + grid.gap);
  };
  for (std::size_t column = 0; column < columns; ++column) {
    draw_text(canvas, grid.titles[column], left(column), title_height / 2, title_height * 2 / 5,
              {40, 40, 40});
  }
  int top = title_height;
  for (const auto& row : cells) {
    int row_height = 0;
    for (std::size_t column = 0; column < row.size() && column < columns; ++column) {
      const cv::Mat& picture = row[column];
      if (!picture.empty()) picture.copyTo(canvas(cv::Rect(left(column), top, picture.cols, picture.rows)));
      row_height = std::max(row_height, picture.rows);
    }
    top += row_height + grid.gap;
  }
  return canvas;
}

}  // namespace dformer
