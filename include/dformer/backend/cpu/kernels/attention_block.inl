// Included once for each instruction set by kernels.hpp.
//
// Attention of a block of queries, one vector lane each, to keys and values that lie packed one after another
// ([keys][head_dim], the last key repeated up to the padding). With queries in lanes the softmax needs no sum
// across a vector, and keys and values are used as they come, by broadcast. Scores are held for one block of
// keys at a time; the sums so far are rescaled when a larger score turns up.

inline constexpr int tile_vectors = vector_bytes == 64 ? 16 : 8;  // accumulators of one tile

/// What a block of Vectors * Vec<T>::size queries has gathered so far.
template <class T, int Vectors>
struct QueryBlock {
  static constexpr int lanes = Vectors * Vec<T>::size;

  const T* queries;  // [head_dim][lanes]
  T* sums;           // [head_dim][lanes], of weighted values
  T* scores;         // [attention_keys][lanes]
  std::int64_t head_dim;
  Vec<T> largest[Vectors];
  Vec<T> total[Vectors];
  bool fresh = true;  // no keys so far, and nothing in sums

  DFORMER_ALWAYS_INLINE void start() {
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) {
      largest[u] = Vec<T>::broadcast(std::numeric_limits<T>::lowest());
      total[u] = Vec<T>::zero();
    }
  }
};

/// Scores are the products of queries and keys alone.
struct NoBias {
  template <class T>
  DFORMER_ALWAYS_INLINE Vec<T> start(std::int64_t, int) const {
    return Vec<T>::zero();
  }
  template <class T>
  DFORMER_ALWAYS_INLINE Vec<T> finish(std::int64_t, int, Vec<T> score) const {
    return score;
  }
};

/// e^x for x <= 0 within 3e-7 of the result near 0 and within 1e-7 of 1 everywhere, which is what the weights
/// of a softmax can tell: shorter than exp, whose relative error stays small all the way down. Never below
/// 2^-125.
DFORMER_ALWAYS_INLINE Vec<float> softmax_weight(Vec<float> x) {
  using V = Vec<float>;
  x = max(V::broadcast(-86.0f), x);
  const V shifter = V::broadcast(12582912.0f);  // 1.5 * 2^23: the sum's low bits are the rounded exponent
  const V shifted = fma(x, V::broadcast(1.44269504f), shifter);
  const V r = fma(shifted - shifter, V::broadcast(-0.693147181f), x);
  V p = V::broadcast(8.297649212e-03f);
  p = fma(p, r, V::broadcast(4.191542044e-02f));
  p = fma(p, r, V::broadcast(1.666757464e-01f));
  p = fma(p, r, V::broadcast(4.999889433e-01f));
  p = fma(p, r, V::broadcast(9.999997020e-01f));
  p = fma(p, r, V::broadcast(1.0f));
  return V::from_bits(p.bits() + (shifted.bits() << 23));
}
DFORMER_ALWAYS_INLINE Vec<double> softmax_weight(Vec<double> x) {
  return exp(x);
}

/// Scores of tile_vectors / Vectors keys from `first` on, and the largest of them in each lane.
template <class T, int Vectors, class Bias>
DFORMER_ALWAYS_INLINE void score_tile(const QueryBlock<T, Vectors>& block, const T* k, std::int64_t first,
                                      const Bias& bias, T* scores, Vec<T>* largest) {
  using V = Vec<T>;
  constexpr int keys = tile_vectors / Vectors;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t head_dim = block.head_dim;
  V score[keys][Vectors];
  DFORMER_UNROLL
  for (int i = 0; i < keys; ++i) {
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) score[i][u] = bias.template start<T>(first + i, u);
  }
  for (std::int64_t c = 0; c < head_dim; ++c) {
    V q[Vectors];
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) q[u] = V::load(block.queries + c * lanes + u * V::size);
    DFORMER_UNROLL
    for (int i = 0; i < keys; ++i) {
      const V key = V::broadcast(k[i * head_dim + c]);
      DFORMER_UNROLL
      for (int u = 0; u < Vectors; ++u) score[i][u] = fma(key, q[u], score[i][u]);
    }
  }
  DFORMER_UNROLL
  for (int i = 0; i < keys; ++i) {
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) {
      const V s = bias.finish(first + i, u, score[i][u]);
      largest[u] = max(s, largest[u]);
      s.store(scores + i * lanes + u * V::size);
    }
  }
}

/// sums = sums * rescale + weights^T v for `Channels` channels; in a fresh block there are no sums yet.
template <int Channels, class T, int Vectors>
DFORMER_ALWAYS_INLINE void value_tile(const QueryBlock<T, Vectors>& block, const T* v, std::int64_t count,
                                      const Vec<T>* rescale, T* sums) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t head_dim = block.head_dim;
  V sum[Channels][Vectors];
  DFORMER_UNROLL
  for (int i = 0; i < Channels; ++i) {
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) {
      sum[i][u] = block.fresh ? V::zero() : V::load(sums + i * lanes + u * V::size) * rescale[u];
    }
  }
  for (std::int64_t key = 0; key < count; ++key) {
    V weight[Vectors];
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) weight[u] = V::load(block.scores + key * lanes + u * V::size);
    DFORMER_UNROLL
    for (int i = 0; i < Channels; ++i) {
      const V value = V::broadcast(v[key * head_dim + i]);
      DFORMER_UNROLL
      for (int u = 0; u < Vectors; ++u) sum[i][u] = fma(value, weight[u], sum[i][u]);
    }
  }
  DFORMER_UNROLL
  for (int i = 0; i < Channels; ++i) {
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) sum[i][u].store(sums + i * lanes + u * V::size);
  }
}

/// Takes the keys [first, first + count) of k and v into the block; count is at most attention_keys and, but
/// for the last keys, a multiple of the padding.
template <class T, int Vectors, class Bias>
DFORMER_ALWAYS_INLINE void attend_some(QueryBlock<T, Vectors>& block, const T* k, const T* v,
                                       std::int64_t first, std::int64_t count, const Bias& bias,
                                       RowsAhead& ahead) {
  using V = Vec<T>;
  constexpr int keys = tile_vectors / Vectors;
  constexpr int channels = tile_vectors / Vectors;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t head_dim = block.head_dim;
  V largest[Vectors];
  V rescale[Vectors];
  V total[Vectors];
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) {
    largest[u] = block.largest[u];
  }
  for (std::int64_t i = 0; i < count; i += keys) {
    score_tile<T, Vectors>(block, k + (first + i) * head_dim, first + i, bias, block.scores + i * lanes,
                           largest);
  }
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) {
    rescale[u] = softmax_weight(block.largest[u] - largest[u]);
    total[u] = block.total[u] * rescale[u];
  }
  for (std::int64_t i = 0; i < count; ++i) {
    ahead.step();
    DFORMER_UNROLL
    for (int u = 0; u < Vectors; ++u) {
      T* at = block.scores + i * lanes + u * V::size;
      const V weight = softmax_weight(V::load(at) - largest[u]);
      weight.store(at);
      total[u] = total[u] + weight;
    }
  }
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) {
    block.largest[u] = largest[u];
    block.total[u] = total[u];
  }
  v += first * head_dim;
  std::int64_t c = 0;
  for (; c + channels <= head_dim; c += channels) {
    value_tile<channels, T, Vectors>(block, v + c, count, rescale, block.sums + c * lanes);
  }
  for (; c + 4 <= head_dim; c += 4) {
    value_tile<4, T, Vectors>(block, v + c, count, rescale, block.sums + c * lanes);
  }
  for (; c < head_dim; ++c) value_tile<1, T, Vectors>(block, v + c, count, rescale, block.sums + c * lanes);
  block.fresh = false;
}

/// Takes all keys into the block, in blocks of nearly equal size.
template <class T, int Vectors, class Bias>
DFORMER_ALWAYS_INLINE void attend(QueryBlock<T, Vectors>& block, const T* k, const T* v, std::int64_t count,
                                  const Bias& bias, RowsAhead& ahead) {
  const std::int64_t blocks = (count + attention_keys - 1) / attention_keys;
  const std::int64_t padding = attention_key_padding;
  const std::int64_t step =
      blocks == 0 ? padding : ((count + blocks - 1) / blocks + padding - 1) / padding * padding;
  for (std::int64_t first = 0; first < count; first += step) {
    attend_some(block, k, v, first, std::min(step, count - first), bias, ahead);
  }
}
