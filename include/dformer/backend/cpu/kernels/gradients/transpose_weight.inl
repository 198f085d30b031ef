// Included once for each instruction set by gradients/kernels.hpp.

/// A block of a vector's size squared: `from` has rows 16 elements apart, and so has `to`.
template <class T>
DFORMER_ALWAYS_INLINE void transpose_block(const T* from, T* to) {
  using V = Vec<T>;
  V rows[V::size];
  DFORMER_UNROLL
  for (int r = 0; r < V::size; ++r) rows[r] = V::load(from + r * panel_width);
  transpose<T>(rows);
  DFORMER_UNROLL
  for (int r = 0; r < V::size; ++r) rows[r].store(to + r * panel_width);
}

template <class T>
void transpose_weight(const TransposeWeightArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t size = Vec<T>::size;
  const std::int64_t line_panels = panels_of(args.width);
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t first = task % line_panels * panel_width;  // of the line
    const std::int64_t rows = std::min(panel_width, args.width - first);
    const T* const weight = args.weight + (task / line_panels * args.width + first) * panel_width;
    T* const y = args.y + task * args.channels * panel_width;
    for (std::int64_t c = 0; c < args.channels; c += panel_width) {
      const T* const from = weight + c * args.lines * args.width;
      T* const to = y + c * panel_width;
      if (rows == panel_width && c + panel_width <= args.channels) {
        for (std::int64_t i = 0; i < panel_width; i += size) {
          for (std::int64_t j = 0; j < panel_width; j += size)
            transpose_block(from + i * panel_width + j, to + j * panel_width + i);
        }
        continue;
      }
      for (std::int64_t j = 0; j < std::min(panel_width, args.channels - c); ++j) {
        for (std::int64_t i = 0; i < panel_width; ++i)
          to[j * panel_width + i] = i < rows ? from[i * panel_width + j] : T(0);
      }
    }
  }
}
