// Included once for each instruction set by kernels.hpp.

/// The rows and columns that one output pixel is the mean of, from `x` (its first pixel) on.
template <class T>
struct PoolWindow {
  const T* x;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t row_stride;
  std::int64_t channels;
};

/// Means of `Count` vectors of channels. Each row is summed by itself: shorter sums round less.
template <class T, int Count>
DFORMER_ALWAYS_INLINE void pool_vectors(const PoolWindow<T>& window, std::int64_t c, Vec<T> scale, T* y) {
  using V = Vec<T>;
  V total[Count];
  DFORMER_UNROLL
  for (int i = 0; i < Count; ++i) total[i] = V::zero();
  for (std::int64_t row = 0; row < window.rows; ++row) {
    const T* x = window.x + row * window.row_stride + c;
    V sums[Count];
    DFORMER_UNROLL
    for (int i = 0; i < Count; ++i) sums[i] = V::zero();
    for (std::int64_t column = 0; column < window.columns; ++column, x += window.channels) {
      DFORMER_UNROLL
      for (int i = 0; i < Count; ++i) sums[i] = sums[i] + V::load(x + i * V::size);
    }
    DFORMER_UNROLL
    for (int i = 0; i < Count; ++i) total[i] = total[i] + sums[i];
  }
  DFORMER_UNROLL
  for (int i = 0; i < Count; ++i) (total[i] * scale).store(y + c + i * V::size);
}

template <class T>
T pool_channel(const PoolWindow<T>& window, std::int64_t c) {
  T total = 0;
  for (std::int64_t row = 0; row < window.rows; ++row) {
    T row_sum = 0;
    for (std::int64_t column = 0; column < window.columns; ++column) {
      row_sum += window.x[row * window.row_stride + column * window.channels + c];
    }
    total += row_sum;
  }
  return total;
}

template <class T>
void adaptive_avg_pool(const PoolArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t column = task % args.y_width;
    const std::int64_t row = task / args.y_width % args.y_height;
    const std::int64_t image = task / (args.y_width * args.y_height);
    const std::int64_t top = row * args.height / args.y_height;
    const std::int64_t left = column * args.width / args.y_width;
    const std::int64_t bottom = ((row + 1) * args.height + args.y_height - 1) / args.y_height;
    const std::int64_t right = ((column + 1) * args.width + args.y_width - 1) / args.y_width;
    const PoolWindow<T> window{args.x + ((image * args.height + top) * args.width + left) * channels,
                               bottom - top, right - left, args.width * channels, channels};
    T* y = args.y + task * args.y_channels;
    const T scale = T(1) / static_cast<T>(window.rows * window.columns);
    const V scales = V::broadcast(scale);
    std::int64_t c = 0;
    for (; c + 4 * V::size <= channels; c += 4 * V::size) pool_vectors<T, 4>(window, c, scales, y);
    for (; c + V::size <= channels; c += V::size) pool_vectors<T, 1>(window, c, scales, y);
    for (; c < channels; ++c) y[c] = pool_channel(window, c) * scale;
  }
}
