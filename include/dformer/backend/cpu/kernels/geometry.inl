// Included once for each instruction set by kernels.hpp.

/// One head of one sequence: its keys and values, packed, and its tokens' depths and positions.
template <class T>
struct GeometrySequence {
  const T* q;
  T* y;
  std::int64_t stride;  // between tokens of q and y
  const T* k;
  const T* v;
  const T* depth;
  const T* rows;       // of tokens of the grid
  const T* columns;    // of tokens of the grid
  const T* distances;  // of tokens of a line, in the middle of the table
  T* blocks;           // scratch for one block of queries
  T position_factor;
  T depth_factor;
};

template <class T, int Vectors>
DFORMER_ALWAYS_INLINE DepthBias<T, Vectors> depth_bias(const GeometrySequence<T>& sequence,
                                                       std::int64_t first) {
  DepthBias<T, Vectors> bias;
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) bias.query[u] = Vec<T>::load(sequence.depth + first + u * Vec<T>::size);
  bias.keys = sequence.depth;
  bias.factor = Vec<T>::broadcast(sequence.depth_factor);
  return bias;
}

template <class T, int Vectors>
DFORMER_ALWAYS_INLINE LineBias<T, Vectors> line_bias(const GeometrySequence<T>& sequence, std::int64_t first,
                                                     std::int64_t length) {
  return {sequence.distances + first, length - 1, depth_bias<T, Vectors>(sequence, first)};
}

template <class T, int Vectors>
DFORMER_ALWAYS_INLINE GridBias<T, Vectors> grid_bias(const GeometrySequence<T>& sequence,
                                                     std::int64_t first) {
  GridBias<T, Vectors> bias;
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) {
    bias.row[u] = Vec<T>::load(sequence.rows + first + u * Vec<T>::size);
    bias.column[u] = Vec<T>::load(sequence.columns + first + u * Vec<T>::size);
  }
  bias.key_rows = sequence.rows;
  bias.key_columns = sequence.columns;
  bias.factor = Vec<T>::broadcast(sequence.position_factor);
  bias.depth = depth_bias<T, Vectors>(sequence, first);
  return bias;
}

template <class T, bool Grid, int Vectors>
void attend_sequence(const GeometryArgs<T>& args, const GeometrySequence<T>& sequence, std::int64_t first,
                     std::int64_t count, RowsAhead& ahead) {
  using V = Vec<T>;
  constexpr int lanes = Vectors * V::size;
  T* queries = sequence.blocks;
  QueryBlock<T, Vectors> block;
  block.queries = queries;
  block.sums = queries + args.head_dim * lanes;
  block.scores = queries + 2 * args.head_dim * lanes;
  block.head_dim = args.head_dim;
  rows_to_lanes<T, Vectors>(sequence.q + first * sequence.stride, sequence.stride, count, args.head_dim, T(1),
                            queries);
  block.start();
  if constexpr (Grid) {
    attend(block, sequence.k, sequence.v, args.length, grid_bias<T, Vectors>(sequence, first), ahead);
  } else {
    attend(block, sequence.k, sequence.v, args.length, line_bias<T, Vectors>(sequence, first, args.length),
           ahead);
  }
  V factor[Vectors];
  DFORMER_UNROLL
  for (int u = 0; u < Vectors; ++u) factor[u] = V::broadcast(T(1)) / block.total[u];
  lanes_to_rows<T, Vectors>(block.sums, factor, count, args.head_dim, sequence.y + first * sequence.stride,
                            sequence.stride);
}

/// Where the first token of a task's sequence is.
template <class T>
DFORMER_ALWAYS_INLINE std::int64_t first_token(const GeometryArgs<T>& args, std::int64_t task) {
  const std::int64_t number = task / args.groups / args.heads;
  return number / args.sequences * args.tokens + number % args.sequences * args.sequence_step;
}

template <class T, bool Grid>
DFORMER_ALWAYS_INLINE void describe_tokens(const GeometryArgs<T>& args, std::int64_t token,
                                           std::int64_t padded, T* depth, T* position) {
  for (std::int64_t i = 0; i < padded; ++i) {  // beyond the end the last token again
    const std::int64_t at = std::min(i, args.length - 1);
    depth[i] = args.depth[token + at * args.token_step];
    if constexpr (Grid) {
      position[i] = static_cast<T>(at / args.width);
      position[padded + i] = static_cast<T>(at % args.width);
    }
  }
}

/// table[i] = factor * |i - middle|.
template <class T>
DFORMER_ALWAYS_INLINE void describe_line(std::int64_t count, std::int64_t middle, T factor, T* table) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T distance = static_cast<T>(static_cast<std::int32_t>(i - middle));
    table[i] = (distance < 0 ? -distance : distance) * factor;
  }
}

template <class T, bool Grid>
DFORMER_ALWAYS_INLINE void geometry_tasks(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t size = Vec<T>::size;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t packed = (args.length + attention_key_padding) * args.head_dim;
  const std::int64_t padded = args.length + attention_key_padding + attention_lanes<T>;
  const std::int64_t blocks = (args.length + 2 * size - 1) / (2 * size);
  T* k = args.scratch;
  T* v = k + packed;
  T* depth = v + packed;
  T* position = depth + padded;
  GeometrySequence<T> sequence;
  sequence.stride = args.token_step * channels;
  sequence.k = k;
  sequence.v = v;
  sequence.depth = depth;
  sequence.rows = position;
  sequence.columns = position + padded;
  sequence.distances = position + args.length;
  sequence.blocks = position + 2 * padded;
  std::int64_t described = -1;  // the token that the sequence at hand begins with
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t group = task % args.groups;
    const std::int64_t head = task / args.groups % args.heads;
    const std::int64_t token = first_token(args, task);
    const std::int64_t offset = token * channels + head * args.head_dim;
    sequence.q = args.q + offset;
    sequence.y = args.y + offset;
    sequence.position_factor = args.decay[head] * args.weight[0];
    sequence.depth_factor = args.decay[head] * args.weight[1];
    if (token != described) describe_tokens<T, Grid>(args, token, padded, depth, position);
    described = token;
    if constexpr (!Grid) describe_line(2 * padded, args.length, sequence.position_factor, position);
    pack_rows(args.k + offset, sequence.stride, args.length, args.head_dim, k);
    pack_rows(args.v + offset, sequence.stride, args.length, args.head_dim, v);
    const std::int64_t first = blocks * group / args.groups * 2 * size;
    const std::int64_t last = std::min(args.length, blocks * (group + 1) / args.groups * 2 * size);
    RowsAhead ahead;
    if (task + 1 < end) {
      const std::int64_t next =
          first_token(args, task + 1) * channels + (task + 1) / args.groups % args.heads * args.head_dim;
      for (const T* array : {args.k, args.v, args.q}) {
        ahead.expect(array + next, sequence.stride, args.length, args.head_dim);
      }
      ahead.spread((last - first + 2 * size - 1) / (2 * size) * args.length);
    }
    for (std::int64_t i = first; i < last; i += 2 * size) {
      if (last - i > size) {
        attend_sequence<T, Grid, 2>(args, sequence, i, std::min(last - i, 2 * size), ahead);
      } else {
        attend_sequence<T, Grid, 1>(args, sequence, i, last - i, ahead);
      }
    }
  }
}

template <class T>
void line_attention(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_tasks<T, false>(args, begin, end);
}

template <class T>
void grid_attention(const GeometryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_tasks<T, true>(args, begin, end);
}
