// Included once for each instruction set by kernels.hpp.

/// The geometry prior's term for a block of queries and one key, from positions along `Axes` directions and
/// depths.
template <class T, int Axes, int Vectors>
struct GeometryBias {
  Vec<T> position[Axes][Vectors];
  Vec<T> depth[Vectors];
  const T* key_position[Axes];
  const T* key_depth;
  Vec<T> position_factor;
  Vec<T> depth_factor;

  DFORMER_ALWAYS_INLINE Vec<T> operator()(std::int64_t key, int u, Vec<T> score) const {
    DFORMER_UNROLL
    for (int axis = 0; axis < Axes; ++axis) {
      const Vec<T> distance = absolute(position[axis][u] - Vec<T>::broadcast(key_position[axis][key]));
      score = fma(distance, position_factor, score);
    }
    return fma(absolute(depth[u] - Vec<T>::broadcast(key_depth[key])), depth_factor, score);
  }

  DFORMER_ALWAYS_INLINE static Vec<T> absolute(Vec<T> x) { return max(x, Vec<T>::zero() - x); }
};

/// One head of one sequence: its keys and values, packed, and its tokens' positions and depths.
template <class T, int Axes>
struct GeometrySequence {
  const T* q;
  T* y;
  std::int64_t stride;  // between tokens of q and y
  const T* k;
  const T* v;
  const T* position[Axes];
  const T* depth;
  T* blocks;  // scratch for one block of queries
  T position_factor;
  T depth_factor;
};

template <class T, int Axes, int Vectors>
void attend_sequence(const GeometryArgs<T>& args, const GeometrySequence<T, Axes>& sequence,
                     std::int64_t first, std::int64_t count) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  GeometryBias<T, Axes, Vectors> bias;
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) {
    DFORMER_UNROLL
    for (int axis = 0; axis < Axes; ++axis) {
      bias.position[axis][u] = V::load(sequence.position[axis] + first + u * V::size);
    }
    bias.depth[u] = V::load(sequence.depth + first + u * V::size);
  }
  for (int axis = 0; axis < Axes; ++axis) bias.key_position[axis] = sequence.position[axis];
  bias.key_depth = sequence.depth;
  bias.position_factor = V::broadcast(sequence.position_factor);
  bias.depth_factor = V::broadcast(sequence.depth_factor);

  T* queries = sequence.blocks;
  QueryBlock<T, Vectors> block;
  block.queries = queries;
  block.sums = queries + args.head_dim * lanes;
  block.scores = queries + 2 * args.head_dim * lanes;
  block.head_dim = args.head_dim;
  rows_to_lanes<T, Vectors>(sequence.q + first * sequence.stride, sequence.stride, count, args.head_dim, T(1),
                            queries);
  block.start();
  attend(block, sequence.k, sequence.v, args.length, bias);
  V factor[Vectors];
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) factor[u] = V::broadcast(T(1)) / block.total[u];
  lanes_to_rows<T, Vectors>(block.sums, factor, count, args.head_dim, sequence.y + first * sequence.stride,
                            sequence.stride);
}

template <class T, int Axes>
DFORMER_ALWAYS_INLINE void geometry_tasks(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t size = Vec<T>::size;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t padded = args.length + attention_key_padding + attention_lanes<T>;
  const std::int64_t blocks = (args.length + 2 * size - 1) / (2 * size);
  T* k = args.scratch;
  T* v = k + (args.length + attention_key_padding) * args.head_dim;
  T* depth = v + (args.length + attention_key_padding) * args.head_dim;
  T* position = depth + padded;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t group = task % args.groups;
    const std::int64_t head = task / args.groups % args.heads;
    const std::int64_t sequence = task / args.groups / args.heads;
    const std::int64_t token =
        sequence / args.sequences * args.tokens + sequence % args.sequences * args.sequence_step;
    for (std::int64_t i = 0; i < padded; ++i) {  // beyond the end the last token again
      const std::int64_t at = std::min(i, args.length - 1);
      depth[i] = args.depth[token + at * args.token_step];
      position[i] = static_cast<T>(Axes == 1 ? at : at % args.width);
      if constexpr (Axes == 2) position[padded + i] = static_cast<T>(at / args.width);
    }
    const std::int64_t offset = token * channels + head * args.head_dim;
    GeometrySequence<T, Axes> one;
    one.stride = args.token_step * channels;
    one.q = args.q + offset;
    one.y = args.y + offset;
    one.k = k;
    one.v = v;
    for (int axis = 0; axis < Axes; ++axis) one.position[axis] = position + axis * padded;
    one.depth = depth;
    one.blocks = position + 2 * padded;
    one.position_factor = args.decay[head] * args.weight[0];
    one.depth_factor = args.decay[head] * args.weight[1];
    pack_rows(args.k + offset, one.stride, args.length, args.head_dim, k);
    pack_rows(args.v + offset, one.stride, args.length, args.head_dim, v);
    const std::int64_t last = std::min(args.length, blocks * (group + 1) / args.groups * 2 * size);
    for (std::int64_t i = blocks * group / args.groups * 2 * size; i < last; i += 2 * size) {
      if (last - i > size) {
        attend_sequence<T, Axes, 2>(args, one, i, std::min(last - i, 2 * size));
      } else {
        attend_sequence<T, Axes, 1>(args, one, i, last - i);
      }
    }
  }
}

template <class T>
void line_attention(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_tasks<T, 1>(args, begin, end);
}

template <class T>
void grid_attention(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_tasks<T, 2>(args, begin, end);
}
