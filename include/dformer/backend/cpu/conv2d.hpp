#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <dformer/backend/cpu/epilogue.hpp>
#include <dformer/backend/cpu/matrix_product.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::cpu {

/// What the window covers of an image [N, H, W, C] at each position of the output, as rows [k * k * C] of a
/// matrix.
template <class T>
struct PatchRows {
  const Tensor<T>& x;
  Window window;
  std::int64_t height;  ///< of the output
  std::int64_t width;
  std::int64_t count;
  std::int64_t depth;

  const T* in_memory() const {
    return window.kernel == 1 && window.stride == 1 && window.padding == 0 ? x.data() : nullptr;
  }

  void gather(std::int64_t begin, std::int64_t end, T* to) const {
    for (std::int64_t row = begin; row < end; ++row, to += depth) {
      const std::int64_t image = row / (height * width);
      const std::int64_t top = row / width % height * window.stride - window.padding;
      const std::int64_t left = row % width * window.stride - window.padding;
      for (int line = 0; line < window.kernel; ++line) {
        T* const part = to + line * window.kernel * x.shape()[3];
        const std::int64_t y = top + line * window.dilation;
        if (y >= 0 && y < x.shape()[1]) {
          copy_line(x.data() + (image * x.shape()[1] + y) * x.shape()[2] * x.shape()[3], left, part);
        } else {
          std::fill_n(part, window.kernel * x.shape()[3], T(0));
        }
      }
    }
  }

 private:
  /// One line of a window from a line of the image: `kernel` pixels from column `left` on, zero outside.
  void copy_line(const T* line, std::int64_t left, T* to) const {
    const std::int64_t channels = x.shape()[3];
    if (window.dilation == 1 && left >= 0 && left + window.kernel <= x.shape()[2]) {
      copy(line + left * channels, window.kernel * channels, to);
      return;
    }
    for (int tap = 0; tap < window.kernel; ++tap, to += channels) {
      const std::int64_t column = left + tap * window.dilation;
      if (column >= 0 && column < x.shape()[2]) {
        copy(line + column * channels, channels, to);
      } else {
        std::fill_n(to, channels, T(0));
      }
    }
  }
  static void copy(const T* from, std::int64_t elements, T* to) {
    std::memcpy(to, from, static_cast<std::size_t>(elements) * sizeof(T));
  }
};

template <class T>
struct ConvolutionOps {
  /// x [N, H, W, I] by weight [O, I, k, k] gives [N, H', W', O]. Throws: ShapeError.
  static Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Window& window,
                          const Epilogue<Tensor<T>>& epilogue) {
    const Shape shape = shapes::conv2d(x.shape(), weight.shape(), window);
    const EpilogueArgs<T> args = epilogue_args("conv2d", shape, epilogue);
    Tensor<T> y(weight.device(), shape);
    const std::int64_t depth = std::int64_t{window.kernel} * window.kernel * x.shape()[3];
    matrix_product(PatchRows<T>{x, window, shape[1], shape[2], shape.rows(), depth}, weight, args, y);
    return y;
  }
};

}  // namespace dformer::cpu
