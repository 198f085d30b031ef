// Included once for each instruction set by kernels.hpp.

/// What a block found among a part of the keys lies in `partial` as [head_dim + 2][lanes]: sums, largest
/// score, total.
template <class T, int Vectors>
void attend_part(const AttentionArgs<T>& args, const T* q, std::int64_t count, const T* k, const T* v,
                 std::int64_t keys, T* partial, RowsAhead& ahead) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  T* queries = args.scratch + 2 * (keys + attention_key_padding) * args.head_dim;
  QueryBlock<T, Vectors> block;
  block.queries = queries;
  block.sums = partial;
  block.scores = queries + args.head_dim * lanes;
  block.head_dim = args.head_dim;
  rows_to_lanes<T, Vectors>(q, args.heads * args.head_dim, count, args.head_dim, args.scale, queries);
  block.start();
  attend(block, k, v, keys, NoBias(), ahead);
  for (int u = 0; u < Vectors; ++u) {
    block.largest[u].store(partial + args.head_dim * lanes + u * V::size);
    block.total[u].store(partial + (args.head_dim + 1) * lanes + u * V::size);
  }
}

/// A head of an image and a part of its keys.
template <class T>
struct AttentionSlice {
  const T* k;  // the values are one row's key channels further on
  std::int64_t keys;
  const T* q;
};

template <class T>
DFORMER_ALWAYS_INLINE AttentionSlice<T> attention_slice(const AttentionArgs<T>& args, std::int64_t slice) {
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t part = slice % args.parts;
  const std::int64_t head = slice / args.parts % args.heads;
  const std::int64_t n = slice / args.parts / args.heads;
  const std::int64_t first = args.keys * part / args.parts;
  return {args.kv + (n * args.keys + first) * 2 * channels + head * args.head_dim,
          args.keys * (part + 1) / args.parts - first,
          args.q + n * args.queries * channels + head * args.head_dim};
}

template <class T>
void attention_part(const AttentionArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t size = Vec<T>::size;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t groups = (args.lanes + args.group - 1) / args.group;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t group = task % groups;
    const AttentionSlice<T> slice = attention_slice(args, task / groups);
    T* k = args.scratch;
    T* v = k + (slice.keys + attention_key_padding) * args.head_dim;
    pack_rows(slice.k, 2 * channels, slice.keys, args.head_dim, k);
    pack_rows(slice.k + channels, 2 * channels, slice.keys, args.head_dim, v);
    T* partial = args.partial + task / groups * (args.head_dim + 2) * args.lanes;
    const std::int64_t first = group * args.group;
    const std::int64_t last = std::min(args.queries, first + args.group);
    RowsAhead ahead;
    if (task + 1 < end) {
      const AttentionSlice<T> next = attention_slice(args, (task + 1) / groups);
      ahead.expect(next.k, 2 * channels, next.keys, args.head_dim);
      ahead.expect(next.k + channels, 2 * channels, next.keys, args.head_dim);
      ahead.spread((last - first + 2 * size - 1) / (2 * size) * slice.keys);
    }
    for (std::int64_t i = first; i < last; i += 2 * size) {
      const std::int64_t count = std::min(last - i, 2 * size);
      const T* q = slice.q + i * channels;
      T* found = partial + i * (args.head_dim + 2);
      if (count > size) {
        attend_part<T, 2>(args, q, count, k, v, slice.keys, found, ahead);
      } else {
        attend_part<T, 1>(args, q, count, k, v, slice.keys, found, ahead);
      }
    }
  }
}

template <class T, int Vectors>
void combine_parts(const AttentionArgs<T>& args, const T* partial, std::int64_t count, T* y) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  const std::int64_t head_dim = args.head_dim;
  const std::int64_t part_stride = (head_dim + 2) * args.lanes;
  T* sums = args.scratch;
  V factor[Vectors];
  for (int u = 0; u < Vectors; ++u) {
    const T* lane = partial + u * V::size;
    V largest = V::load(lane + head_dim * lanes);
    for (std::int64_t p = 1; p < args.parts; ++p) {
      largest = max(V::load(lane + p * part_stride + head_dim * lanes), largest);
    }
    V total = V::zero();
    for (std::int64_t c = 0; c < head_dim; ++c) V::zero().store(sums + c * lanes + u * V::size);
    for (std::int64_t p = 0; p < args.parts; ++p) {
      const T* found = lane + p * part_stride;
      const V rescale = softmax_weight(V::load(found + head_dim * lanes) - largest);
      total = fma(V::load(found + (head_dim + 1) * lanes), rescale, total);
      for (std::int64_t c = 0; c < head_dim; ++c) {
        T* sum = sums + c * lanes + u * V::size;
        fma(V::load(found + c * lanes), rescale, V::load(sum)).store(sum);
      }
    }
    factor[u] = V::broadcast(T(1)) / total;
  }
  lanes_to_rows<T, Vectors>(sums, factor, count, head_dim, y, args.heads * head_dim);
}

template <class T>
void attention_combine(const AttentionArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t size = Vec<T>::size;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t groups = (args.lanes + args.group - 1) / args.group;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t group = task % groups;
    const std::int64_t head = task / groups % args.heads;
    const std::int64_t n = task / groups / args.heads;
    const T* partial = args.partial + (n * args.heads + head) * args.parts * (args.head_dim + 2) * args.lanes;
    T* y = args.y + n * args.queries * channels + head * args.head_dim;
    const std::int64_t last = std::min(args.queries, (group + 1) * args.group);
    for (std::int64_t i = group * args.group; i < last; i += 2 * size) {
      const T* found = partial + i * (args.head_dim + 2);
      if (last - i > size) {
        combine_parts<T, 2>(args, found, std::min(last - i, 2 * size), y + i * channels);
      } else {
        combine_parts<T, 1>(args, found, last - i, y + i * channels);
      }
    }
  }
}
