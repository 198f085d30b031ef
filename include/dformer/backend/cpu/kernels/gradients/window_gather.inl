// Included once for each instruction set by gradients/kernels.hpp.

/// to += from
template <class T>
DFORMER_ALWAYS_INLINE void add_elements(const T* from, std::int64_t count, T* to) {
  using V = Vec<T>;
  std::int64_t i = 0;
  for (; i + V::size <= count; i += V::size) (V::load(to + i) + V::load(from + i)).store(to + i);
  for (; i < count; ++i) to[i] += from[i];
}

template <class T>
void window_gather(const WindowGatherArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const Window& window = args.window;
  const std::int64_t channels = args.channels;
  const std::int64_t pixel = window.kernel * channels;  // of a line's products
  for (std::int64_t row = begin; row < end; ++row) {
    T* const dx = args.dx + row * args.width * channels;
    for (std::int64_t i = 0; i < args.width * channels; ++i) dx[i] = T(0);
    for (int line = 0; line < window.kernel; ++line) {
      const TapOutputs rows(window, line, row, row + 1, args.y_height);
      if (rows.begin == rows.end) continue;
      const TapOutputs strip(window, line, args.first_row, row + 1, args.y_height);
      const T* const products =
          args.products + line * args.line_elements + (rows.begin - strip.begin) * args.y_width * pixel;
      for (int tap = 0; tap < window.kernel; ++tap) {
        const TapOutputs columns(window, tap, 0, args.width, args.y_width);
        for (std::int64_t column = columns.begin; column < columns.end; ++column) {
          add_elements(products + column * pixel + tap * channels, channels,
                       dx + TapOutputs::position(window, tap, column) * channels);
        }
      }
    }
  }
}
