// Included once for each instruction set by kernels.hpp.

/// Any window, one output pixel and one vector of channels at a time. Part: only `count` channels.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE void depthwise_pixel(const DepthwiseArgs<T>& args, const T* image, std::int64_t top,
                                           std::int64_t left, std::int64_t c, int count, T* y) {
  using V = Vec<T>;
  const Window& window = args.window;
  V total = V::zero();
  for (int ky = 0; ky < window.kernel; ++ky) {
    const std::int64_t row = top + ky * window.dilation;
    if (row < 0 || row >= args.height) continue;
    for (int kx = 0; kx < window.kernel; ++kx) {
      const std::int64_t column = left + kx * window.dilation;
      if (column < 0 || column >= args.width) continue;
      total = fma(load_operand<T, Part>(image + (row * args.width + column) * args.channels + c, count),
                  load_operand<T, Part>(args.weight + (ky * window.kernel + kx) * args.channels + c, count),
                  total);
    }
  }
  total = apply_epilogue<T, Part>(args.epilogue, total, c, y - args.y + c, count);
  if constexpr (Part) {
    total.store_part(y + c, count);
  } else {
    total.store(y + c);
  }
}

template <class T>
void depthwise_general(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  for (std::int64_t task = begin; task < end; ++task) {
    const T* image = args.x + task / args.y_height * args.height * args.width * channels;
    const std::int64_t top = task % args.y_height * args.window.stride - args.window.padding;
    for (std::int64_t column = 0; column < args.y_width; ++column) {
      const std::int64_t left = column * args.window.stride - args.window.padding;
      T* y = args.y + (task * args.y_width + column) * channels;
      std::int64_t c = 0;
      for (; c + V::size <= channels; c += V::size) {
        depthwise_pixel<T, false>(args, image, top, left, c, V::size, y);
      }
      if (c < channels)
        depthwise_pixel<T, true>(args, image, top, left, c, static_cast<int>(channels - c), y);
    }
  }
}

/// Sums of `Pixels` neighbouring outputs of a Kernel x Kernel window, for one vector of channels. Every input
/// is loaded once and used in all outputs that it reaches. `lines` are the rows of the window that lie in the
/// image, from `x` (at image column 0) and `weight` on. Edge: columns outside [0, width) count as zero.
template <class T, int Kernel, int Pixels, bool Edge>
DFORMER_ALWAYS_INLINE void depthwise_tile(const T* x, const T* weight, int lines, std::int64_t left,
                                          std::int64_t width, std::int64_t channels, T* sums) {
  using V = Vec<T>;
  V total[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) total[p] = V::zero();
  for (int line = 0; line < lines; ++line, x += width * channels, weight += Kernel * channels) {
    V w[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) w[k] = V::load(weight + k * channels);
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      const std::int64_t column = left + i;
      const bool inside = !Edge || (column >= 0 && column < width);
      const V value = inside ? V::load(x + column * channels) : V::zero();
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        if (i - k >= 0 && i - k < Pixels) total[i - k] = fma(value, w[k], total[i - k]);
      }
    }
  }
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) total[p].store(sums + p * V::size);
}

/// Stride 1 and as much padding as keeps the extents; at least a vector of channels. Channels run outermost
/// within a segment of the row, so that their weights stay in the first cache, and segments are short enough
/// for what they read to stay in the second.
template <class T, int Kernel>
void depthwise_same(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  constexpr int pixels = vector_bytes == 64 ? 10 : 8;
  constexpr int reach = Kernel / 2;
  constexpr std::int64_t segment_bytes = 256 << 10;
  const std::int64_t channels = args.channels;
  const std::int64_t width = args.width;
  const std::int64_t column_bytes = Kernel * channels * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t segment = std::max<std::int64_t>(1, segment_bytes / column_bytes / pixels) * pixels;
  alignas(vector_bytes) T sums[pixels * V::size];
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t row = task % args.height;
    const std::int64_t first_line = std::max<std::int64_t>(0, reach - row);
    const auto lines =
        static_cast<int>(std::min<std::int64_t>(Kernel, args.height + reach - row) - first_line);
    const T* x = args.x + (task - reach + first_line) * width * channels;
    for (std::int64_t start = 0; start < width; start += segment) {
      const std::int64_t stop = std::min(width, start + segment);
      for (std::int64_t block = 0; block < channels; block += V::size) {
        const std::int64_t c = std::min<std::int64_t>(block, channels - V::size);  // the last one may overlap
        const T* weight = args.weight + first_line * Kernel * channels + c;
        for (std::int64_t column = start; column < stop; column += pixels) {
          const std::int64_t left = column - reach;
          if (left >= 0 && left + pixels + Kernel - 1 <= width) {
            depthwise_tile<T, Kernel, pixels, false>(x + c, weight, lines, left, width, channels, sums);
          } else {
            depthwise_tile<T, Kernel, pixels, true>(x + c, weight, lines, left, width, channels, sums);
          }
          const std::int64_t count = std::min<std::int64_t>(pixels, stop - column);
          std::int64_t at = (task * width + column) * channels + c;
          for (std::int64_t p = 0; p < count; ++p, at += channels) {
            apply_epilogue<T, false>(args.epilogue, V::load(sums + p * V::size), c, at, V::size)
                .store(args.y + at);
          }
        }
      }
    }
  }
}

template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const Window& window = args.window;
  const bool same = window.stride == 1 && window.dilation == 1 && window.padding == window.kernel / 2;
  if (same && args.channels >= Vec<T>::size) {
    if (window.kernel == 3) return depthwise_same<T, 3>(args, begin, end);
    if (window.kernel == 5) return depthwise_same<T, 5>(args, begin, end);
    if (window.kernel == 7) return depthwise_same<T, 7>(args, begin, end);
  }
  depthwise_general(args, begin, end);
}
