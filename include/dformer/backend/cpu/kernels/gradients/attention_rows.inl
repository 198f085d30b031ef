// Included once for each instruction set by gradients/kernels.hpp.
//
// Rows of one head, which lie a row of all heads apart, to matrices of whole vectors and back.

/// Up to a whole number of vectors.
template <class T>
DFORMER_ALWAYS_INLINE std::int64_t whole_vectors(std::int64_t count) {
  return (count + Vec<T>::size - 1) / Vec<T>::size * Vec<T>::size;
}

/// `count` rows of head_dim elements times a factor, to [count, width] with zeros behind them.
template <class T>
DFORMER_ALWAYS_INLINE void gather_rows(const T* rows, std::int64_t stride, std::int64_t count,
                                       std::int64_t head_dim, T factor, T* to) {
  using V = Vec<T>;
  const std::int64_t width = whole_vectors<T>(head_dim);
  const std::int64_t full = head_dim / V::size * V::size;
  const V scale = V::broadcast(factor);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < full; c += V::size) (V::load(rows + c) * scale).store(to + c);
    if (full < width) {
      (V::load_part(rows + full, static_cast<int>(head_dim - full)) * scale).store(to + full);
    }
    rows += stride;
    to += width;
  }
}

/// The way back: rows = factor * from, or += when `add`.
template <class T>
DFORMER_ALWAYS_INLINE void scatter_rows(const T* from, std::int64_t count, std::int64_t head_dim, T factor,
                                        T* rows, std::int64_t stride, bool add) {
  using V = Vec<T>;
  const std::int64_t width = whole_vectors<T>(head_dim);
  const std::int64_t full = head_dim / V::size * V::size;
  const int rest = static_cast<int>(head_dim - full);
  const V scale = V::broadcast(factor);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < full; c += V::size) {
      const V before = add ? V::load(rows + c) : V::zero();
      fma(V::load(from + c), scale, before).store(rows + c);
    }
    if (rest > 0) {
      const V before = add ? V::load_part(rows + full, rest) : V::zero();
      fma(V::load(from + full), scale, before).store_part(rows + full, rest);
    }
    rows += stride;
    from += width;
  }
}

/// [count, width] to [width, lanes], a lane each, with zeros in the lanes up to a whole vector.
template <class T>
DFORMER_ALWAYS_INLINE void gathered_to_lanes(const T* rows, std::int64_t count, std::int64_t width,
                                             std::int64_t lanes, T* to) {
  using V = Vec<T>;
  for (std::int64_t i = 0; i < count; i += V::size) {
    for (std::int64_t c = 0; c < width; c += V::size) {
      V square[V::size];
      DFORMER_UNROLL
      for (int r = 0; r < V::size; ++r) {
        square[r] = i + r < count ? V::load(rows + (i + r) * width + c) : V::zero();
      }
      transpose<T>(square);
      DFORMER_UNROLL
      for (int r = 0; r < V::size; ++r) square[r].store(to + (c + r) * lanes + i);
    }
  }
}
