#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/core/error.hpp>
#include <dformer/viz/axis.hpp>
#include <dformer/viz/text.hpp>

namespace dformer {

/// A line over `x`: steps or epochs, rising. Where y is not finite, or not positive on a logarithmic axis, it
/// has a gap.
struct Curve {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
};

/// Curves on common axes.
struct Chart {
  std::string title;
  std::vector<Curve> curves;
  std::string x_name = "step";
  bool logarithmic = false;  ///< the y axis
};

struct CurvesLayout {
  int width = 960;
  int chart_height = 280;
};

namespace detail {

/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008), as B, G, R.
inline const std::array<cv::Vec3b, 7> curve_colors{
    cv::Vec3b(178, 114, 0), cv::Vec3b(0, 94, 213),   cv::Vec3b(115, 158, 0), cv::Vec3b(167, 121, 204),
    cv::Vec3b(0, 159, 230), cv::Vec3b(233, 180, 86), cv::Vec3b(60, 60, 60)};
inline const cv::Vec3b& curve_color(std::size_t i) {
  return curve_colors[i % curve_colors.size()];
}

/// One chart, drawn into its part of a picture.
class ChartDrawing {
 public:
  ChartDrawing(cv::Mat canvas, const Chart& chart) : canvas_(canvas), chart_(chart), y_(chart.logarithmic) {
    for (const Curve& curve : chart.curves) {
      for (std::size_t i = 0; i < curve.x.size(); ++i) {
        if (!y_.shows(curve.y[i])) continue;
        x_.include(curve.x[i]);
        y_.include(curve.y[i]);
      }
    }
    is_empty_ = y_.empty();
    x_.widen();
    y_.widen();
    y_ticks_ = y_.ticks(canvas.rows / 50);
    int name_width = text_width("0.00e-0", small);  // so that charts below one another mostly align
    for (const Axis::Tick& tick : y_ticks_) name_width = std::max(name_width, text_width(tick.text, small));
    const int left = margin + name_width + margin / 2;
    plot_ = cv::Rect(left, 3 * margin, canvas.cols - left - margin, canvas.rows - 6 * margin);
  }

  void draw() {
    draw_axes();
    for (std::size_t i = 0; i < chart_.curves.size(); ++i) draw_curve(chart_.curves[i], curve_color(i));
    draw_names();
  }

 private:
  static constexpr int margin = 16;
  static constexpr int capital = 9;
  static constexpr int small = 8;
  static constexpr int fraction_bits = 4;
  inline static const cv::Vec3b ink{38, 34, 32};
  inline static const cv::Vec3b soft_ink{120, 114, 110};

  double column(double value) const { return plot_.x + x_.place(value) * plot_.width; }
  double row(double value) const { return plot_.y + (1 - y_.place(value)) * plot_.height; }

  void draw_axes() {
    const cv::Scalar grid(232, 230, 228);
    for (const Axis::Tick& tick : y_ticks_) {
      const int y = cvRound(row(tick.value));
      cv::line(canvas_, {plot_.x, y}, {plot_.x + plot_.width, y}, grid);
      draw_text(canvas_, tick.text, plot_.x - margin / 2 - text_width(tick.text, small), y, small, soft_ink);
    }
    const int below = plot_.y + plot_.height + margin;
    for (const Axis::Tick& tick : x_.ticks(plot_.width / 90, 1)) {
      const int x = cvRound(column(tick.value));
      cv::line(canvas_, {x, plot_.y}, {x, plot_.y + plot_.height}, grid);
      draw_text(canvas_, tick.text, x - text_width(tick.text, small) / 2, below, small, soft_ink);
    }
    cv::rectangle(canvas_, plot_, cv::Scalar(200, 197, 194));
    draw_text(canvas_, chart_.x_name, plot_.x + (plot_.width - text_width(chart_.x_name, small)) / 2,
              below + margin, small, soft_ink);
    if (is_empty_) draw_text(canvas_, "no values yet", plot_.x + margin, plot_.y + margin, small, soft_ink);
  }

  void draw_curve(const Curve& curve, const cv::Vec3b& color) {
    const auto fixed = [](double pixels) { return cvRound(pixels * (1 << fraction_bits)); };
    const bool with_marks = curve.x.size() <= 40;
    const int thickness = curve.x.size() <= static_cast<std::size_t>(plot_.width) / 2 ? 2 : 1;
    cv::Point before;
    bool connected = false;
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.x[i]) || !y_.shows(curve.y[i])) {
        connected = false;
        continue;
      }
      const cv::Point here(fixed(column(curve.x[i])), fixed(row(curve.y[i])));
      if (connected)
        cv::line(canvas_, before, here, cv::Scalar(color), thickness, cv::LINE_AA, fraction_bits);
      const bool alone = !connected && (i + 1 == curve.x.size() || !y_.shows(curve.y[i + 1]));
      if (with_marks || alone) {
        cv::circle(canvas_, here, 3 << fraction_bits, cv::Scalar(color), cv::FILLED, cv::LINE_AA,
                   fraction_bits);
      }
      before = here;
      connected = true;
    }
  }

  /// The title at the left; from the right the curves' names, each with its last value, shortened where they
  /// do not all fit.
  void draw_names() {
    const int middle = 3 * margin / 2;
    const std::string title = fit_text(chart_.title, plot_.width / 3, capital);
    draw_text(canvas_, title, plot_.x, middle, capital, ink);
    const int room = plot_.width - text_width(title, capital) - margin;
    int needed = 0;
    for (const Curve& curve : chart_.curves) {
      needed += text_width(curve.name, small) + text_width(last_value(curve), small) + 4 * margin;
    }
    int right = plot_.x + plot_.width;
    for (std::size_t i = chart_.curves.size(); i-- > 0;) {
      const Curve& curve = chart_.curves[i];
      const std::string value = last_value(curve);
      const int value_width = text_width(value, small);
      const int share = room / static_cast<int>(chart_.curves.size()) - 4 * margin - value_width;
      const std::string name =
          needed <= room ? curve.name : fit_text(curve.name, std::max(share, margin), small);
      right -= value_width;
      draw_text(canvas_, value, right, middle, small, ink);
      right -= margin / 2 + text_width(name, small);
      draw_text(canvas_, name, right, middle, small, ink);
      right -= margin / 2;
      cv::line(canvas_, {right - margin, middle}, {right, middle}, cv::Scalar(curve_color(i)), 3);
      right -= 2 * margin;
    }
  }
  static std::string last_value(const Curve& curve) {
    const auto last =
        std::find_if(curve.y.rbegin(), curve.y.rend(), [](double y) { return std::isfinite(y); });
    if (last == curve.y.rend()) return "";
    return Axis::number_text(*last, std::max(std::abs(*last) * 1e-3, 1e-300));
  }

  cv::Mat canvas_;
  const Chart& chart_;
  Axis x_;
  Axis y_;
  bool is_empty_ = true;
  std::vector<Axis::Tick> y_ticks_;
  cv::Rect plot_;
};

inline void require_curves(std::span<const Chart> charts, const CurvesLayout& layout) {
  if (charts.empty()) throw_argument_error("[curves picture] at least one chart expected");
  if (layout.width < 240 || layout.chart_height < 160) {
    throw_argument_error("[curves picture] charts of at least 240 by 160 pixels expected, got " +
                         std::to_string(layout.width) + " by " + std::to_string(layout.chart_height));
  }
  for (const Chart& chart : charts) {
    for (const Curve& curve : chart.curves) {
      if (curve.x.size() == curve.y.size()) continue;
      throw_argument_error("[curves picture] '" + curve.name + "' has " + std::to_string(curve.x.size()) +
                           " values of x and " + std::to_string(curve.y.size()) + " of y");
    }
  }
}

}  // namespace detail

/// Draws charts below one another: axes with round numbers, a line for each curve, and above them its name
/// and its last value. 8-bit B, G, R. Names should be plain ASCII, as OpenCV's fonts have nothing else.
/// Throws: ArgumentError for no chart, one that is too small, or a curve whose x and y differ in number.
inline cv::Mat curves_picture(std::span<const Chart> charts, const CurvesLayout& layout = {}) {
  detail::require_curves(charts, layout);
  cv::Mat picture(layout.chart_height * static_cast<int>(charts.size()), layout.width, CV_8UC3,
                  cv::Scalar(252, 252, 252));
  int top = 0;
  for (const Chart& chart : charts) {
    detail::ChartDrawing(picture.rowRange(top, top + layout.chart_height), chart).draw();
    top += layout.chart_height;
  }
  return picture;
}

}  // namespace dformer
