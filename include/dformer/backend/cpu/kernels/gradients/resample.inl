// Included once for each instruction set by gradients/kernels.hpp.

/// The pixels of dy that one input pixel gathers from, from `dy` (the first of them) on.
template <class T>
struct ResampleWindow {
  const T* dy;
  const T* row_weights;
  const T* column_weights;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t row_stride;
  std::int64_t channels;
};

/// `Count` vectors of channels. Each row is summed by itself: shorter sums round less.
template <class T, int Count>
DFORMER_ALWAYS_INLINE void gather_vectors(const ResampleWindow<T>& window, std::int64_t c, T* dx) {
  using V = Vec<T>;
  V total[Count];
  DFORMER_UNROLL
  for (int i = 0; i < Count; ++i) total[i] = V::zero();
  for (std::int64_t row = 0; row < window.rows; ++row) {
    const T* dy = window.dy + row * window.row_stride + c;
    V sums[Count];
    DFORMER_UNROLL
    for (int i = 0; i < Count; ++i) sums[i] = V::zero();
    for (std::int64_t column = 0; column < window.columns; ++column, dy += window.channels) {
      const V weight = V::broadcast(window.column_weights[column]);
      DFORMER_UNROLL
      for (int i = 0; i < Count; ++i) sums[i] = fma(weight, V::load(dy + i * V::size), sums[i]);
    }
    const V weight = V::broadcast(window.row_weights[row]);
    DFORMER_UNROLL
    for (int i = 0; i < Count; ++i) total[i] = fma(weight, sums[i], total[i]);
  }
  DFORMER_UNROLL
  for (int i = 0; i < Count; ++i) total[i].store(dx + c + i * V::size);
}

template <class T>
T gather_channel(const ResampleWindow<T>& window, std::int64_t c) {
  T total = 0;
  for (std::int64_t row = 0; row < window.rows; ++row) {
    T row_sum = 0;
    for (std::int64_t column = 0; column < window.columns; ++column) {
      row_sum +=
          window.column_weights[column] * window.dy[row * window.row_stride + column * window.channels + c];
    }
    total += window.row_weights[row] * row_sum;
  }
  return total;
}

template <class T>
void resample_gradient(const ResampleGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  for (std::int64_t task = begin; task < end; ++task) {
    const ResampleSpan column = args.columns[task % args.width];
    const ResampleSpan row = args.rows[task / args.width % args.height];
    const std::int64_t image = task / (args.width * args.height);
    const ResampleWindow<T> window{
        args.dy + ((image * args.y_height + row.first) * args.y_width + column.first) * channels,
        args.row_weights + row.weights,
        args.column_weights + column.weights,
        row.count,
        column.count,
        args.y_width * channels,
        channels};
    T* dx = args.dx + task * channels;
    std::int64_t c = 0;
    for (; c + 4 * V::size <= channels; c += 4 * V::size) gather_vectors<T, 4>(window, c, dx);
    for (; c + V::size <= channels; c += V::size) gather_vectors<T, 1>(window, c, dx);
    for (; c < channels; ++c) dx[c] = gather_channel(window, c);
  }
}
