// Included once for each instruction set by kernels.hpp.
//
// The geometry prior's term for a block of queries and one key: scores start at, or get added, what the
// distances of positions and depths amount to.

template <class T>
DFORMER_ALWAYS_INLINE Vec<T> absolute(Vec<T> x) {
  return Vec<T>::from_bits(x.bits() & std::numeric_limits<typename Vec<T>::Integer>::max());
}

/// The part that the depths have in it.
template <class T, int Vectors>
struct DepthBias {
  Vec<T> query[Vectors];
  const T* keys;
  Vec<T> factor;

  DFORMER_ALWAYS_INLINE Vec<T> operator()(std::int64_t key, int u, Vec<T> score) const {
    return fma(absolute(query[u] - Vec<T>::broadcast(keys[key])), factor, score);
  }
};

/// Tokens along a line. `distances` is the table of the position's part, from the first query's distance to
/// key 0 on, so that a vector of it starts the scores of a vector of queries.
template <class T, int Vectors>
struct LineBias {
  const T* distances;
  std::int64_t last_key;
  DepthBias<T, Vectors> depth;

  template <class>
  DFORMER_ALWAYS_INLINE Vec<T> start(std::int64_t key, int u) const {
    const std::int64_t present = key < last_key ? key : last_key;
    return Vec<T>::load(distances + u * Vec<T>::size - present);
  }
  DFORMER_ALWAYS_INLINE Vec<T> finish(std::int64_t key, int u, Vec<T> score) const {
    return depth(key, u, score);
  }
};

/// Tokens of the whole grid.
template <class T, int Vectors>
struct GridBias {
  Vec<T> row[Vectors];
  Vec<T> column[Vectors];
  const T* key_rows;
  const T* key_columns;
  Vec<T> factor;
  DepthBias<T, Vectors> depth;

  template <class>
  DFORMER_ALWAYS_INLINE Vec<T> start(std::int64_t, int) const {
    return Vec<T>::zero();
  }
  DFORMER_ALWAYS_INLINE Vec<T> finish(std::int64_t key, int u, Vec<T> score) const {
    const Vec<T> distance = absolute(row[u] - Vec<T>::broadcast(key_rows[key])) +
                            absolute(column[u] - Vec<T>::broadcast(key_columns[key]));
    return depth(key, u, fma(distance, factor, score));
  }
};
