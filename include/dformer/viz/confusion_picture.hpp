#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/core/error.hpp>
#include <dformer/data/classes.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {
namespace detail {

/// The colour of a share, 0 … 1, from paper to deep blue; the square root lifts rare confusions into sight.
inline cv::Vec3b share_color(double share) {
  const cv::Vec3d paper(252, 252, 252);
  const cv::Vec3d middle(201, 146, 79);
  const cv::Vec3d ink(88, 40, 16);
  const double t = std::sqrt(share);
  const cv::Vec3d color =
      t < 0.5 ? paper + (middle - paper) * (2 * t) : middle + (ink - middle) * (2 * t - 1);
  return {cv::saturate_cast<unsigned char>(color[0]), cv::saturate_cast<unsigned char>(color[1]),
          cv::saturate_cast<unsigned char>(color[2])};
}

}  // namespace detail

/// Draws a confusion matrix, 8-bit B, G, R: a row for each true class, a column for each predicted one, a
/// cell as dark as the share of the row's pixels that it holds, in percent where it is 1 or more. Rows of
/// absent classes stay empty. `counts` [num_classes, num_classes] are pixels, row-major, a row for each true
/// class
/// (`ConfusionMatrix::counts`). Throws: ArgumentError for another number of counts.
inline cv::Mat confusion_picture(std::span<const std::int64_t> counts, int num_classes,
                                 const ClassList& classes) {
  const auto columns = static_cast<std::size_t>(num_classes);
  if (num_classes < 1 || counts.size() != columns * columns) {
    throw_argument_error("[confusion picture] expected " + std::to_string(num_classes) + " times " +
                         std::to_string(num_classes) + " counts, got " + std::to_string(counts.size()));
  }
  constexpr int cell = 26;
  constexpr int capital = 9;
  constexpr int number_capital = 7;
  constexpr int margin = 14;
  const cv::Vec3b ink(38, 34, 32);
  const cv::Vec3b white(255, 255, 255);
  std::vector<std::string> names;
  int name_width = text_width("predicted", capital);
  for (int k = 0; k < num_classes; ++k) {
    const std::string name = classes.name(static_cast<std::size_t>(k));
    names.push_back(is_drawable(name) ? name : "class " + std::to_string(k));
    name_width = std::max(name_width, text_width(names.back(), capital));
  }
  name_width = std::min(name_width, 24 * capital);

  const int left = margin + name_width + margin;
  const int top = left;  // names of columns run upwards
  const int side = num_classes * cell;
  cv::Mat canvas(top + side + margin, left + side + margin, CV_8UC3, cv::Scalar(252, 252, 252));
  cv::Mat column_names(side, name_width, CV_8UC3, cv::Scalar(252, 252, 252));
  for (int k = 0; k < num_classes; ++k) {
    const std::string name = fit_text(names[static_cast<std::size_t>(k)], name_width, capital);
    draw_text(canvas, name, left - margin / 2 - text_width(name, capital), top + k * cell + cell / 2, capital,
              ink);
    draw_text(column_names, name, 0, k * cell + cell / 2, capital, ink);
  }
  cv::rotate(column_names, column_names, cv::ROTATE_90_COUNTERCLOCKWISE);
  column_names.copyTo(canvas(cv::Rect(left, top - margin / 2 - name_width, side, name_width)));
  draw_text(canvas, "truth \\ predicted", margin / 2, margin, capital, ink);

  for (int truth = 0; truth < num_classes; ++truth) {
    const auto row = counts.subspan(static_cast<std::size_t>(truth) * columns, columns);
    const auto pixels = static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0}));
    if (pixels == 0) continue;
    for (int predicted = 0; predicted < num_classes; ++predicted) {
      const double share = static_cast<double>(row[static_cast<std::size_t>(predicted)]) / pixels;
      const cv::Rect square(left + predicted * cell, top + truth * cell, cell, cell);
      cv::rectangle(canvas, square, cv::Scalar(detail::share_color(share)), cv::FILLED);
      if (share < 0.01) continue;
      const std::string percent = std::to_string(static_cast<int>(std::lround(100 * share)));
      draw_text(canvas, percent, square.x + (cell - text_width(percent, number_capital)) / 2,
                square.y + cell / 2, number_capital, share > 0.15 ? white : ink);
    }
  }
  for (int k = 0; k <= num_classes; ++k) {
    const cv::Scalar line(226, 224, 222);
    cv::line(canvas, {left, top + k * cell}, {left + side, top + k * cell}, line);
    cv::line(canvas, {left + k * cell, top}, {left + k * cell, top + side}, line);
  }
  return canvas;
}

}  // namespace dformer
