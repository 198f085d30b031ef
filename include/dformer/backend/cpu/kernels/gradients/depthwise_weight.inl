// Included once for each instruction set by gradients/kernels.hpp.

/// What a task is, and the sums that it makes.
template <class T>
struct DepthwiseWeightPart {
  DFORMER_ALWAYS_INLINE DepthwiseWeightPart(const DepthwiseWeightArgs<T>& args, std::int64_t task) {
    const std::int64_t part = task / args.blocks;
    const std::int64_t slice = part / args.segments, segment = part % args.segments;
    const std::int64_t rows = args.images * args.y_height;
    begin = rows * slice / args.slices;
    end = rows * (slice + 1) / args.slices;
    start = args.y_width * segment / args.segments;
    stop = args.y_width * (segment + 1) / args.segments;
    first = task % args.blocks * args.block;
    last = task % args.blocks + 1 == args.blocks ? args.channels : first + args.block;
    sums = args.sums + part * args.window.kernel * args.window.kernel * args.channels;
  }

  std::int64_t begin;  ///< rows of dy, counted through all images
  std::int64_t end;
  std::int64_t start;  ///< columns of dy
  std::int64_t stop;
  std::int64_t first;  ///< channels
  std::int64_t last;
  T* sums;  ///< [kernel * kernel][all channels]
};

/// Any window, for the channels [first, last) of a part.
template <class T>
void depthwise_weight_any(const DepthwiseWeightArgs<T>& args, const DepthwiseWeightPart<T>& part,
                          std::int64_t first, std::int64_t last) {
  using V = Vec<T>;
  const Window& window = args.window;
  const std::int64_t channels = args.channels;
  const std::int64_t full = first + (last - first) / V::size * V::size;
  for (std::int64_t row = part.begin; row < part.end; ++row) {
    const std::int64_t image = row / args.y_height;
    const T* const dy = args.dy + row * args.y_width * channels;
    for (int line = 0; line < window.kernel; ++line) {
      const std::int64_t y = TapOutputs::position(window, line, row % args.y_height);
      if (y < 0 || y >= args.height) continue;
      const T* const x = args.x + (image * args.height + y) * args.width * channels;
      for (int tap = 0; tap < window.kernel; ++tap) {
        T* const sums = part.sums + (line * window.kernel + tap) * channels;
        const TapOutputs inside(window, tap, 0, args.width, args.y_width);
        for (std::int64_t column = std::max(part.start, inside.begin);
             column < std::min(part.stop, inside.end); ++column) {
          const T* const from = x + TapOutputs::position(window, tap, column) * channels;
          const T* const upstream = dy + column * channels;
          for (std::int64_t c = first; c < full; c += V::size)
            fma(V::load(from + c), V::load(upstream + c), V::load(sums + c)).store(sums + c);
          for (std::int64_t c = full; c < last; ++c) sums[c] += from[c] * upstream[c];
        }
      }
    }
  }
}

/// Adds to the sums of one vector of channels what `Pixels` neighbours in a row of dy give, for all lines of
/// the window that lie in the image. The neighbours stay in registers, and every pixel of x is loaded once
/// for all taps of a line. Edge: columns outside [0, width) are left out.
template <class T, int Kernel, int Pixels, bool Edge>
DFORMER_ALWAYS_INLINE void depthwise_weight_tile(const T* x, std::int64_t left, std::int64_t width,
                                                 const T* dy, int lines, std::int64_t channels, T* sums) {
  using V = Vec<T>;
  V upstream[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) upstream[p] = V::load(dy + p * channels);
  for (int line = 0; line < lines; ++line, x += width * channels, sums += Kernel * channels) {
    V total[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) total[k] = V::load(sums + k * channels);
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      const std::int64_t column = left + i;
      if (Edge && (column < 0 || column >= width)) continue;
      const V value = V::load(x + column * channels);
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        if (i - k >= 0 && i - k < Pixels) total[k] = fma(value, upstream[i - k], total[k]);
      }
    }
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) total[k].store(sums + k * channels);
  }
}

/// A row of dy and the lines of the window that meet the image.
template <class T>
struct DepthwiseWeightRow {
  const T* x;   ///< the first of these lines, at column 0
  const T* dy;  ///< at column 0
  T* sums;      ///< of the window's line that meets it
  int lines;
};

/// `Pixels` columns from `column` on, for the channels [first, last), whole vectors of them.
template <class T, int Kernel, int Pixels>
DFORMER_ALWAYS_INLINE void depthwise_weight_columns(const DepthwiseWeightArgs<T>& args,
                                                    const DepthwiseWeightRow<T>& row, std::int64_t column,
                                                    std::int64_t first, std::int64_t last) {
  const std::int64_t left = column - args.window.padding;
  const T* const dy = row.dy + column * args.channels;
  if (left >= 0 && left + Pixels + Kernel - 1 <= args.width) {
    for (std::int64_t c = first; c < last; c += Vec<T>::size) {
      depthwise_weight_tile<T, Kernel, Pixels, false>(row.x + c, left, args.width, dy + c, row.lines,
                                                      args.channels, row.sums + c);
    }
  } else {
    for (std::int64_t c = first; c < last; c += Vec<T>::size) {
      depthwise_weight_tile<T, Kernel, Pixels, true>(row.x + c, left, args.width, dy + c, row.lines,
                                                     args.channels, row.sums + c);
    }
  }
}

/// Stride and dilation 1.
template <class T, int Kernel>
void depthwise_weight_rows(const DepthwiseWeightArgs<T>& args, const DepthwiseWeightPart<T>& part) {
  constexpr int pixels = vector_bytes == 64 ? 16 : 8;
  const std::int64_t channels = args.channels;
  const std::int64_t last = part.first + (part.last - part.first) / Vec<T>::size * Vec<T>::size;
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const std::int64_t image = at / args.y_height;
    const std::int64_t top = at % args.y_height - args.window.padding;
    const std::int64_t first_line = std::max<std::int64_t>(0, -top);
    const std::int64_t last_line = std::min<std::int64_t>(Kernel, args.height - top);
    if (first_line >= last_line) continue;
    const DepthwiseWeightRow<T> row{args.x + (image * args.height + top + first_line) * args.width * channels,
                                    args.dy + at * args.y_width * channels,
                                    part.sums + first_line * Kernel * channels,
                                    static_cast<int>(last_line - first_line)};
    std::int64_t column = part.start;
    for (; column + pixels <= part.stop; column += pixels)
      depthwise_weight_columns<T, Kernel, pixels>(args, row, column, part.first, last);
    for (; column + 4 <= part.stop; column += 4)
      depthwise_weight_columns<T, Kernel, 4>(args, row, column, part.first, last);
    for (; column < part.stop; ++column)
      depthwise_weight_columns<T, Kernel, 1>(args, row, column, part.first, last);
  }
  if (last < part.last) depthwise_weight_any(args, part, last, part.last);
}

template <class T>
void depthwise_weight(const DepthwiseWeightArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const Window& window = args.window;
  for (std::int64_t task = begin; task < end; ++task) {
    const DepthwiseWeightPart<T> part(args, task);
    for (std::int64_t tap = 0; tap < window.kernel * window.kernel; ++tap) {
      for (std::int64_t c = part.first; c < part.last; ++c) part.sums[tap * args.channels + c] = T(0);
    }
    const int kernel = window.stride == 1 && window.dilation == 1 ? window.kernel : 0;
    if (kernel == 3) {
      depthwise_weight_rows<T, 3>(args, part);
    } else if (kernel == 5) {
      depthwise_weight_rows<T, 5>(args, part);
    } else if (kernel == 7) {
      depthwise_weight_rows<T, 7>(args, part);
    } else {
      depthwise_weight_any(args, part, part.first, part.last);
    }
  }
}
