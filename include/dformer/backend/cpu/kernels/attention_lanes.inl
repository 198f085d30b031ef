// Included once for each instruction set by kernels.hpp.
//
// From rows (a query or an output each) to lanes and back: transposition in registers.

template <int Step, class T, int... I>
DFORMER_ALWAYS_INLINE void exchange(Vec<T>& a, Vec<T>& b, std::integer_sequence<int, I...>) {
  constexpr int size = static_cast<int>(sizeof...(I));
  const Vec<T> low{__builtin_shufflevector(a.v, b.v, ((I & Step) == 0 ? I : size + I - Step)...)};
  const Vec<T> high{__builtin_shufflevector(a.v, b.v, ((I & Step) == 0 ? I + Step : size + I)...)};
  a = low;
  b = high;
}

/// Transposes a square of Vec<T>::size rows: in step s the off-diagonal squares of s elements change places.
template <class T, int Step = 1>
DFORMER_ALWAYS_INLINE void transpose(Vec<T>* rows) {
  constexpr int size = Vec<T>::size;
  DFORMER_UNROLL
  for (int i = 0; i < size; ++i) {
    if ((i & Step) == 0) exchange<Step>(rows[i], rows[i + Step], std::make_integer_sequence<int, size>());
  }
  if constexpr (2 * Step < size) transpose<T, 2 * Step>(rows);
}

/// `count` rows, scaled, to the lanes of a block [head_dim][lanes]; the last row fills the other lanes.
template <class T, int Vectors>
DFORMER_ALWAYS_INLINE void rows_to_lanes(const T* rows, std::int64_t stride, std::int64_t count,
                                         std::int64_t head_dim, T scale, T* to) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t full = head_dim / V::size * V::size;
  const V factor = V::broadcast(scale);
  for (int u = 0; u < Vectors; ++u) {
    const T* from[V::size];
    for (int i = 0; i < V::size; ++i) {
      from[i] = rows + std::min<std::int64_t>(u * V::size + i, count - 1) * stride;
    }
    for (std::int64_t c = 0; c < full; c += V::size) {
      V square[V::size];
      DFORMER_UNROLL
      for (int i = 0; i < V::size; ++i) square[i] = V::load(from[i] + c);
      transpose<T>(square);
      DFORMER_UNROLL
      for (int i = 0; i < V::size; ++i) (square[i] * factor).store(to + (c + i) * lanes + u * V::size);
    }
    for (std::int64_t c = full; c < head_dim; ++c) {
      for (int i = 0; i < V::size; ++i) to[c * lanes + u * V::size + i] = from[i][c] * scale;
    }
  }
}

/// Lanes [head_dim][lanes] of a block, times a factor each, to the first `count` rows.
template <class T, int Vectors>
DFORMER_ALWAYS_INLINE void lanes_to_rows(const T* from, const Vec<T>* factor, std::int64_t count,
                                         std::int64_t head_dim, T* rows, std::int64_t stride) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t full = head_dim / V::size * V::size;
  for (int u = 0; u < Vectors; ++u) {
    T* to = rows + u * V::size * stride;
    const std::int64_t present = std::min<std::int64_t>(V::size, count - u * V::size);
    for (std::int64_t c = 0; c < full; c += V::size) {
      V square[V::size];
      DFORMER_UNROLL
      for (int i = 0; i < V::size; ++i) square[i] = V::load(from + (c + i) * lanes + u * V::size) * factor[u];
      transpose<T>(square);
      DFORMER_UNROLL
      for (int i = 0; i < V::size; ++i) {
        if (i < present) square[i].store(to + i * stride + c);
      }
    }
    for (std::int64_t c = full; c < head_dim; ++c) {
      alignas(vector_bytes) T column[V::size];
      (V::load(from + c * lanes + u * V::size) * factor[u]).store(column);
      for (std::int64_t i = 0; i < present; ++i) to[i * stride + c] = column[i];
    }
  }
}
