// Included once for each instruction set by gradients/kernels.hpp.

/// One head of one sequence; matrices of whole vectors, but for the tokens themselves.
template <class T>
struct GeometryGradientSequence {
  T* k;  // [length, width]
  T* v;
  T* dk;
  T* dv;
  T* rows;  // of the token grid, or positions along the line
  T* columns;
  T* depth;
  T* q;  // [queries, width]
  T* dy;
  T* dq;
  T* q_lanes;  // [width, lanes]
  T* dy_lanes;
  T* scores;  // [length, lanes]
  T* responses;
  T position_factor;
  T depth_factor;
};

/// How far a vector of queries is from one key.
template <class T, bool Grid>
struct TokenDistances {
  Vec<T> row;
  Vec<T> column;
  Vec<T> depth;
  const T* rows;
  const T* columns;
  const T* depths;

  DFORMER_ALWAYS_INLINE TokenDistances(const GeometryGradientSequence<T>& s, std::int64_t first)
      : row(Vec<T>::load(s.rows + first)),
        column(Grid ? Vec<T>::load(s.columns + first) : Vec<T>::zero()),
        depth(Vec<T>::load(s.depth + first)),
        rows(s.rows),
        columns(s.columns),
        depths(s.depth) {}

  DFORMER_ALWAYS_INLINE Vec<T> of_positions(std::int64_t key) const {
    const Vec<T> distance = absolute(row - Vec<T>::broadcast(rows[key]));
    if constexpr (!Grid) return distance;
    return distance + absolute(column - Vec<T>::broadcast(columns[key]));
  }
  DFORMER_ALWAYS_INLINE Vec<T> of_depths(std::int64_t key) const {
    return absolute(depth - Vec<T>::broadcast(depths[key]));
  }
};

/// Products to the softmax's weights, and responses to the gradients of the scores. Lanes without a query
/// have responses of 0, so that they add nothing to the sums.
template <class T, bool Grid>
DFORMER_ALWAYS_INLINE void geometry_scores(const GeometryGradientSequence<T>& s, std::int64_t length,
                                           std::int64_t first, std::int64_t lanes, double* sums,
                                           RowsAhead& ahead) {
  using V = Vec<T>;
  const V position_factor = V::broadcast(s.position_factor);
  const V depth_factor = V::broadcast(s.depth_factor);
  for (std::int64_t u = 0; u < lanes; u += V::size) {
    const TokenDistances<T, Grid> distances(s, first + u);
    V largest = V::broadcast(std::numeric_limits<T>::lowest());
    for (std::int64_t j = 0; j < length; ++j) {
      T* at = s.scores + j * lanes + u;
      const V near = fma(distances.of_positions(j), position_factor, V::load(at));
      const V score = fma(distances.of_depths(j), depth_factor, near);
      score.store(at);
      largest = max(score, largest);
    }
    V total = V::zero();
    V response = V::zero();
    for (std::int64_t j = 0; j < length; ++j) {
      ahead.step();
      T* at = s.scores + j * lanes + u;
      const V weight = softmax_weight(V::load(at) - largest);
      weight.store(at);
      total = total + weight;
      response = fma(weight, V::load(s.responses + j * lanes + u), response);
    }
    const V factor = V::broadcast(T(1)) / total;
    const V mean = response * factor;
    V positions = V::zero();
    V depths = V::zero();
    for (std::int64_t j = 0; j < length; ++j) {
      T* weight = s.scores + j * lanes + u;
      T* at = s.responses + j * lanes + u;
      const V share = V::load(weight) * factor;
      share.store(weight);
      const V gradient = share * (V::load(at) - mean);
      gradient.store(at);
      positions = fma(gradient, distances.of_positions(j), positions);
      depths = fma(gradient, distances.of_depths(j), depths);
    }
    sums[0] += static_cast<double>(sum(positions));
    sums[1] += static_cast<double>(sum(depths));
  }
}

/// A group of queries, from `offset` of the tensors on and `first` of the sequence.
template <class T, bool Grid>
void geometry_gradient_of_queries(const GeometryGradientArgs<T>& args, const GeometryGradientSequence<T>& s,
                                  std::int64_t offset, std::int64_t first, std::int64_t count, double* sums,
                                  RowsAhead& ahead) {
  const std::int64_t stride = args.token_step * args.heads * args.head_dim;
  const std::int64_t width = whole_vectors<T>(args.head_dim);
  const std::int64_t lanes = whole_vectors<T>(count);
  gather_rows(args.q + offset, stride, count, args.head_dim, T(1), s.q);
  gather_rows(args.dy + offset, stride, count, args.head_dim, T(1), s.dy);
  gathered_to_lanes(s.q, count, width, lanes, s.q_lanes);
  gathered_to_lanes(s.dy, count, width, lanes, s.dy_lanes);
  tiled_product<T>({s.k, width, 1, s.q_lanes, lanes, s.scores, lanes}, args.length, lanes, args.head_dim,
                   false);
  tiled_product<T>({s.v, width, 1, s.dy_lanes, lanes, s.responses, lanes}, args.length, lanes, args.head_dim,
                   false);
  geometry_scores<T, Grid>(s, args.length, first, lanes, sums, ahead);
  tiled_product<T>({s.scores, lanes, 1, s.dy, width, s.dv, width}, args.length, width, count, first > 0);
  tiled_product<T>({s.responses, lanes, 1, s.q, width, s.dk, width}, args.length, width, count, first > 0);
  tiled_product<T>({s.responses, 1, lanes, s.k, width, s.dq, width}, count, width, args.length, false);
  scatter_rows(s.dq, count, args.head_dim, T(1), args.dq + offset, stride, args.add);
}

template <class T, bool Grid>
DFORMER_ALWAYS_INLINE void geometry_gradient_tasks(const GeometryGradientArgs<T>& args, std::int64_t begin,
                                                   std::int64_t end) {
  constexpr std::int64_t queries = geometry_gradient_queries;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t stride = args.token_step * channels;
  const std::int64_t length = args.length;
  const std::int64_t tokens = length + queries;
  GeometryGradientSequence<T> s;
  s.k = args.scratch;
  s.v = s.k + length * args.padded;
  s.dk = s.v + length * args.padded;
  s.dv = s.dk + length * args.padded;
  s.q = s.dv + length * args.padded;
  s.dy = s.q + queries * args.padded;
  s.dq = s.dy + queries * args.padded;
  s.q_lanes = s.dq + queries * args.padded;
  s.dy_lanes = s.q_lanes + queries * args.padded;
  s.scores = s.dy_lanes + queries * args.padded;
  s.responses = s.scores + length * queries;
  s.depth = s.responses + length * queries;
  s.rows = s.depth + tokens;
  s.columns = s.rows + tokens;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t head = task % args.heads;
    const std::int64_t token = first_token(args, task);
    const std::int64_t offset = token * channels + head * args.head_dim;
    s.position_factor = args.decay[head] * args.weight[0];
    s.depth_factor = args.decay[head] * args.weight[1];
    describe_tokens<T, Grid>(args, token, tokens, s.depth, s.rows);
    if constexpr (!Grid) {
      for (std::int64_t i = 0; i < tokens; ++i) s.rows[i] = static_cast<T>(i);
    }
    gather_rows(args.k + offset, stride, length, args.head_dim, T(1), s.k);
    gather_rows(args.v + offset, stride, length, args.head_dim, T(1), s.v);
    RowsAhead ahead;
    if (task + 1 < end) {
      const std::int64_t next =
          first_token(args, task + 1) * channels + (task + 1) % args.heads * args.head_dim;
      for (const T* array : {args.k, args.v, args.q, args.dy, static_cast<const T*>(args.dk),
                             static_cast<const T*>(args.dv), static_cast<const T*>(args.dq)}) {
        ahead.expect(array + next, stride, length, args.head_dim);
      }
      ahead.spread(whole_vectors<T>(length) / Vec<T>::size * length);
    }
    double* sums = args.weight_sums + task * 2;
    sums[0] = 0;
    sums[1] = 0;
    for (std::int64_t i = 0; i < length; i += queries) {
      geometry_gradient_of_queries<T, Grid>(args, s, offset + i * stride, i, std::min(length - i, queries),
                                            sums, ahead);
    }
    scatter_rows(s.dk, length, args.head_dim, T(1), args.dk + offset, stride, args.add);
    scatter_rows(s.dv, length, args.head_dim, T(1), args.dv + offset, stride, false);
  }
}

template <class T>
void line_attention_gradient(const GeometryGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_gradient_tasks<T, false>(args, begin, end);
}

template <class T>
void grid_attention_gradient(const GeometryGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  geometry_gradient_tasks<T, true>(args, begin, end);
}
