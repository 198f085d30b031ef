// Included once for each instruction set by gradients/kernels.hpp.

/// Any window: every output adds to the pixels that its window covers.
template <class T>
void depthwise_input(const DepthwiseInputArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const Window& window = args.window;
  const std::int64_t channels = args.channels;
  const std::int64_t full = channels / V::size * V::size;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t image = task / args.height, row = task % args.height;
    T* const dx = args.dx + task * args.width * channels;
    for (std::int64_t i = 0; i < args.width * channels; ++i) dx[i] = T(0);
    for (int line = 0; line < window.kernel; ++line) {
      const TapOutputs rows(window, line, row, row + 1, args.y_height);
      if (rows.begin == rows.end) continue;
      const T* const dy = args.dy + (image * args.y_height + rows.begin) * args.y_width * channels;
      for (int tap = 0; tap < window.kernel; ++tap) {
        const T* const weight = args.weight + (line * window.kernel + tap) * channels;
        const TapOutputs columns(window, tap, 0, args.width, args.y_width);
        for (std::int64_t column = columns.begin; column < columns.end; ++column) {
          const T* const from = dy + column * channels;
          T* const to = dx + TapOutputs::position(window, tap, column) * channels;
          for (std::int64_t c = 0; c < full; c += V::size)
            fma(V::load(from + c), V::load(weight + c), V::load(to + c)).store(to + c);
          for (std::int64_t c = full; c < channels; ++c) to[c] += from[c] * weight[c];
        }
      }
    }
  }
}
