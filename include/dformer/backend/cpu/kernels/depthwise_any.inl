// Included once for each instruction set by kernels.hpp.

/// Any window, one output pixel and one vector of channels at a time. Part: only `count` channels.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE void depthwise_pixel(const DepthwiseArgs<T>& args, const T* image, std::int64_t top,
                                           std::int64_t left, std::int64_t c, int count, T* y) {
  using V = Vec<T>;
  const Window& window = args.window;
  V total[] = {V::zero()};
  for (int ky = 0; ky < window.kernel; ++ky) {
    const std::int64_t row = top + ky * window.dilation;
    if (row < 0 || row >= args.height) continue;
    for (int kx = 0; kx < window.kernel; ++kx) {
      const std::int64_t column = left + kx * window.dilation;
      if (column < 0 || column >= args.width) continue;
      total[0] =
          fma(load_operand<T, Part>(image + (row * args.width + column) * args.channels + c, count),
              load_operand<T, Part>(args.weight + (ky * window.kernel + kx) * args.channels + c, count),
              total[0]);
    }
  }
  apply_epilogue<T, Part>(args.epilogue, total, c, y - args.y + c, 0, count);
  if constexpr (Part) {
    total[0].store_part(y + c, count);
  } else {
    total[0].store(y + c);
  }
}

/// What a task is.
struct RowSegment {
  template <class T>
  DFORMER_ALWAYS_INLINE RowSegment(const DepthwiseArgs<T>& args, std::int64_t task)
      : image(task / args.y_height / args.segments()),
        row(task % args.y_height),
        start(task / args.y_height % args.segments() * args.segment),
        stop(std::min(args.y_width, start + args.segment)) {}

  std::int64_t image;
  std::int64_t row;
  std::int64_t start;
  std::int64_t stop;
};

template <class T>
void depthwise_general(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  for (std::int64_t task = begin; task < end; ++task) {
    const RowSegment part(args, task);
    const T* image = args.x + part.image * args.height * args.width * channels;
    const std::int64_t top = part.row * args.window.stride - args.window.padding;
    for (std::int64_t column = part.start; column < part.stop; ++column) {
      const std::int64_t left = column * args.window.stride - args.window.padding;
      T* y = args.y + ((part.image * args.y_height + part.row) * args.y_width + column) * channels;
      std::int64_t c = 0;
      for (; c + V::size <= channels; c += V::size) {
        depthwise_pixel<T, false>(args, image, top, left, c, V::size, y);
      }
      if (c < channels)
        depthwise_pixel<T, true>(args, image, top, left, c, static_cast<int>(channels - c), y);
    }
  }
}
