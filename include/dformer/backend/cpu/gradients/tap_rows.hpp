#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <dformer/backend/cpu/gradients/weight_gradient.hpp>
#include <dformer/backend/cpu/kernels/gradients/tap_outputs.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cpu {

/// What some taps of the window cover of x [N, H, W, C] at each position of the output: PatchRows, but for
/// the taps of one piece at a time.
template <class T>
struct TapRows {
  const Tensor<T>& x;
  Window window;
  std::int64_t height;  ///< of the output
  std::int64_t width;

  /// The whole window where it is small, else a line of it each, else a tap each.
  std::vector<WeightColumns<T>> pieces() const {
    constexpr std::int64_t most_columns = 512;
    const std::int64_t channels = x.shape()[3];
    std::int64_t taps = std::int64_t{window.kernel} * window.kernel;
    const std::int64_t all = taps * channels;
    for (int cut = 0; cut < 2 && taps * channels > most_columns; ++cut) taps /= window.kernel;
    std::vector<WeightColumns<T>> result;
    for (std::int64_t begin = 0; begin < all; begin += taps * channels)
      result.push_back({begin, taps * channels, nullptr, 0});
    return result;
  }

  /// The piece's columns of the rows [begin, end), one row behind another.
  void operator()(const WeightColumns<T>& piece, std::int64_t begin, std::int64_t end, T* to) const {
    const std::int64_t channels = x.shape()[3];
    const std::int64_t first = piece.begin / channels, last = first + piece.width / channels;
    for (std::int64_t row = begin; row < end; ++row) {
      const T* const image = x.data() + row / (height * width) * x.shape()[1] * x.shape()[2] * channels;
      for (std::int64_t tap = first; tap < last; ++tap, to += channels) {
        const auto line = static_cast<int>(tap / window.kernel),
                   place = static_cast<int>(tap % window.kernel);
        const std::int64_t v = TapOutputs::position(window, line, row / width % height);
        const std::int64_t u = TapOutputs::position(window, place, row % width);
        if (v >= 0 && v < x.shape()[1] && u >= 0 && u < x.shape()[2]) {
          std::memcpy(to, image + (v * x.shape()[2] + u) * channels,
                      static_cast<std::size_t>(channels) * sizeof(T));
        } else {
          std::fill_n(to, channels, T(0));
        }
      }
    }
  }
};

}  // namespace dformer::cpu
