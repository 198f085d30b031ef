#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <dformer/backend/cpu/kernels/gradients/outer_product_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/tap_outputs.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cpu {

/// What the window covers of x [N, H, W, C] at each position of the output, for weight_gradient. A piece is a
/// tap of the window; as it steps through the image evenly, nothing has to be copied together. A block of
/// rows is some lines of the output, or part of one.
template <class T>
struct WindowColumns {
  const Tensor<T>& x;
  Window window;
  std::int64_t height;  ///< of the output
  std::int64_t width;

  std::vector<std::int64_t> widths() const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(window.kernel * window.kernel), x.shape()[3]);
  }

  std::int64_t block_end(std::int64_t begin, std::int64_t end, std::int64_t most) const {
    const std::int64_t position = begin % width;
    const std::int64_t cuts = (width + most - 1) / most;
    const std::int64_t lines =
        std::min({most / width, height - begin / width % height, (end - begin) / width});
    if (position == 0 && lines > 0) return begin + lines * width;
    return std::min({begin + (width + cuts - 1) / cuts, begin - position + width, end});
  }

  OuterProductColumns<T> columns(std::size_t piece, std::int64_t begin, std::int64_t end) const {
    const std::int64_t inputs = x.shape()[3];
    const auto tap = static_cast<int>(piece) % window.kernel, line = static_cast<int>(piece) / window.kernel;
    const std::int64_t count = std::min(end - begin, width), lines = (end - begin) / count;
    const std::int64_t top = begin / width % height, left = begin % width;
    const TapOutputs v = TapOutputs(window, line, 0, x.shape()[1], height).within(top, top + lines);
    const TapOutputs u = TapOutputs(window, tap, 0, x.shape()[2], width).within(left, left + count);

    OuterProductColumns<T> result{};
    result.column = static_cast<std::int64_t>(piece) * inputs;
    result.width = inputs;
    if (v.begin >= v.end || u.begin >= u.end) return result;
    const std::int64_t row =
        begin / (width * height) * x.shape()[1] + TapOutputs::position(window, line, v.begin);
    result.x = x.data() + (row * x.shape()[2] + TapOutputs::position(window, tap, u.begin)) * inputs;
    result.x_line = window.stride * x.shape()[2] * inputs;
    result.x_stride = window.stride * inputs;
    result.lines = v.end - v.begin;
    result.positions = u.end - u.begin;
    result.first_row = (v.begin - top) * count + u.begin - left;
    result.line_rows = count;
    fetch_ahead(result, tap, TapOutputs::position(window, line, v.end - 1 + lines) < x.shape()[1]);
    return result;
  }

 private:
  /// The same lines of the window in the lines of the output below, if they are in the image; all taps of a
  /// line read the same.
  void fetch_ahead(OuterProductColumns<T>& columns, int tap, bool inside) const {
    if (tap != 0 || !inside || columns.line_rows != width) return;
    columns.ahead = columns.x + columns.lines * columns.x_line;
    columns.ahead_rows = columns.lines;
    columns.ahead_width = columns.positions * columns.x_stride;
    columns.ahead_stride = columns.x_line;
  }
};

}  // namespace dformer::cpu
