// Included once for each instruction set by kernels.hpp.

/// Sums of `Pixels` neighbouring outputs of a Kernel x Kernel window, for one vector of channels. Every input
/// is loaded once and used in all outputs that it reaches. `lines` are the rows of the window that lie in the
/// image, from `x` (at image column 0) and `weight` on; the sums begin at `start`. Edge: columns outside [0,
/// width) count as zero.
template <class T, int Kernel, int Pixels, bool Edge>
DFORMER_ALWAYS_INLINE void depthwise_tile(const T* x, const T* weight, int lines, std::int64_t left,
                                          std::int64_t width, std::int64_t channels, Vec<T> start, T* sums) {
  using V = Vec<T>;
  V total[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) total[p] = start;
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

/// Fetches `bytes` from `p` on into the second cache.
DFORMER_ALWAYS_INLINE void prefetch(const void* p, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + i, 0, 2);
}

/// An output row of a same-size convolution: the lines of the image that its windows reach.
template <class T>
struct DepthwiseRow {
  const T* x;       ///< the first of these lines, at column 0
  const T* weight;  ///< the window's row that meets it
  int lines;
  std::int64_t start;  ///< of the output, in elements
  std::int64_t stop;   ///< column behind the segment
};

/// Outputs of a row from `column` on, `Pixels` unless the segment ends before, for the channels from c on.
template <class T, int Kernel, int Pixels>
DFORMER_ALWAYS_INLINE void depthwise_outputs(const DepthwiseArgs<T>& args, const DepthwiseRow<T>& row,
                                             std::int64_t column, std::int64_t c) {
  using V = Vec<T>;
  alignas(vector_bytes) T sums[Pixels * V::size];
  const bool add_shift = args.epilogue.shift != nullptr && args.epilogue.scale == nullptr;
  const V shift = add_shift ? V::load(args.epilogue.shift + c) : V::zero();
  const std::int64_t left = column - Kernel / 2;
  if (left >= 0 && left + Pixels + Kernel - 1 <= args.width) {
    depthwise_tile<T, Kernel, Pixels, false>(row.x + c, row.weight + c, row.lines, left, args.width,
                                             args.channels, shift, sums);
  } else {
    depthwise_tile<T, Kernel, Pixels, true>(row.x + c, row.weight + c, row.lines, left, args.width,
                                            args.channels, shift, sums);
  }
  const std::int64_t count = std::min<std::int64_t>(Pixels, row.stop - column);
  finish_tile(args, sums, count, c, row.start + column * args.channels + c);
}

/// Stride 1 and as much padding as keeps the extents; at least a vector of channels. A large window has
/// channels outermost, so that their weights stay in the first cache; a small one, which has few weights for
/// much of the image, goes through memory in its order, and meanwhile fetches the line that the next row is
/// the first to need.
template <class T, int Kernel>
void depthwise_same(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  constexpr int pixels = vector_bytes == 64 ? 10 : 8;
  constexpr int reach = Kernel / 2;
  const std::int64_t channels = args.channels;
  const std::int64_t last = channels - V::size;  // the last vector may overlap the one before
  for (std::int64_t task = begin; task < end; ++task) {
    const RowSegment part(args, task);
    const std::int64_t first_line = std::max<std::int64_t>(0, reach - part.row);
    const std::int64_t last_line = std::min<std::int64_t>(Kernel, args.height + reach - part.row);
    const std::int64_t top = part.image * args.height + part.row - reach + first_line;
    const DepthwiseRow<T> row{args.x + top * args.width * channels,
                              args.weight + first_line * Kernel * channels,
                              static_cast<int>(last_line - first_line),
                              (part.image * args.height + part.row) * args.width * channels, part.stop};
    if constexpr (Kernel > 3) {
      for (std::int64_t c = 0; c < channels; c += V::size) {
        for (std::int64_t column = part.start; column < part.stop; column += pixels) {
          depthwise_outputs<T, Kernel, pixels>(args, row, column, std::min(c, last));
        }
      }
    } else {
      const std::int64_t next_line =
          part.image * args.height + std::min(part.row + reach + 1, args.height - 1);
      const T* next = args.x + (next_line * args.width + part.start) * channels;
      for (std::int64_t column = part.start; column < part.stop; column += pixels) {
        for (std::int64_t c = 0; c < channels; c += V::size, next += pixels * V::size) {
          prefetch(next, pixels * vector_bytes);
          depthwise_outputs<T, Kernel, pixels>(args, row, column, std::min(c, last));
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
