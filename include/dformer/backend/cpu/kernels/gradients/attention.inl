// Included once for each instruction set by gradients/kernels.hpp.

/// Takes the scores of a block into the statistics; sums so far are rescaled where a larger score turned up.
template <class T>
DFORMER_ALWAYS_INLINE void add_statistics(const AttentionGradientArgs<T>& args, const T* scores,
                                          std::int64_t keys, T* statistics, RowsAhead ahead) {
  using V = Vec<T>;
  const std::int64_t lanes = args.lanes;
  for (std::int64_t u = 0; u < whole_vectors<T>(args.queries); u += V::size) {
    T* at = statistics + u;
    const V before = V::load(at);
    V largest = before;
    for (std::int64_t j = 0; j < keys; ++j) largest = max(V::load(scores + 2 * j * lanes + u), largest);
    const V rescale = softmax_weight(before - largest);
    V total = V::load(at + lanes) * rescale;
    V response = V::load(at + 2 * lanes) * rescale;
    for (std::int64_t j = 0; j < keys; ++j) {
      ahead.step();
      const V weight = softmax_weight(V::load(scores + 2 * j * lanes + u) - largest);
      total = total + weight;
      response = fma(weight, V::load(scores + (2 * j + 1) * lanes + u), response);
    }
    largest.store(at);
    total.store(at + lanes);
    response.store(at + 2 * lanes);
  }
}

template <class T>
void attention_gradient_scores(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t lanes = args.lanes;
  const std::int64_t columns = whole_vectors<T>(args.queries);
  const std::int64_t width = whole_vectors<T>(args.head_dim);
  T* q = args.scratch;
  T* dy = q + lanes * args.padded;
  AttentionGradientHead<T> head{dy + lanes * args.padded, dy + 2 * lanes * args.padded};
  for (std::int64_t task = begin; task < end; ++task) {
    const AttentionGradientPart<T> part = attention_gradient_part(args, task);
    if (head.gather(args, task, part.query)) {
      gathered_to_lanes(head.q, args.queries, width, lanes, q);
      gathered_to_lanes(head.dy, args.queries, width, lanes, dy);
    }
    T* statistics = args.statistics + task * 3 * lanes;
    for (std::int64_t i = 0; i < lanes; ++i) {
      statistics[i] = std::numeric_limits<T>::lowest();
      statistics[lanes + i] = 0;
      statistics[2 * lanes + i] = 0;
    }
    for (std::int64_t j = 0; j < part.keys; j += gradient_keys) {
      const std::int64_t keys = std::min<std::int64_t>(gradient_keys, part.keys - j);
      const T* k = args.kv + part.key + j * 2 * channels;
      T* scores = part.scores + 2 * j * lanes;
      tiled_product<T>({k, 2 * channels, 1, q, lanes, scores, 2 * lanes}, keys, columns, args.head_dim,
                       false);
      tiled_product<T>({k + channels, 2 * channels, 1, dy, lanes, scores + lanes, 2 * lanes}, keys, columns,
                       args.head_dim, false);
      add_statistics(args, scores, keys, statistics, keys_ahead(args, task, part, j, end, true));
    }
  }
}

/// The statistics of a head's parts together: the largest score, 1 / the sum of weights, and the mean
/// response.
template <class T>
DFORMER_ALWAYS_INLINE void combine_statistics(const AttentionGradientArgs<T>& args, const T* statistics,
                                              T* combined) {
  using V = Vec<T>;
  const std::int64_t lanes = args.lanes;
  for (std::int64_t u = 0; u < whole_vectors<T>(args.queries); u += V::size) {
    V largest = V::load(statistics + u);
    for (std::int64_t p = 1; p < args.parts; ++p) {
      largest = max(V::load(statistics + p * 3 * lanes + u), largest);
    }
    V total = V::zero();
    V response = V::zero();
    for (std::int64_t p = 0; p < args.parts; ++p) {
      const T* found = statistics + p * 3 * lanes + u;
      const V rescale = softmax_weight(V::load(found) - largest);
      total = fma(V::load(found + lanes), rescale, total);
      response = fma(V::load(found + 2 * lanes), rescale, response);
    }
    const V factor = V::broadcast(T(1)) / total;
    largest.store(combined + u);
    factor.store(combined + lanes + u);
    (response * factor).store(combined + 2 * lanes + u);
  }
}

/// Of a block's scores the softmax's weights, and their own gradients; both [keys, lanes].
template <class T>
DFORMER_ALWAYS_INLINE void finish_scores(const AttentionGradientArgs<T>& args, const T* scores,
                                         std::int64_t keys, const T* combined, T* weights, T* gradients,
                                         RowsAhead ahead) {
  using V = Vec<T>;
  const std::int64_t lanes = args.lanes;
  for (std::int64_t u = 0; u < whole_vectors<T>(args.queries); u += V::size) {
    const V largest = V::load(combined + u);
    const V factor = V::load(combined + lanes + u);
    const V mean = V::load(combined + 2 * lanes + u);
    for (std::int64_t j = 0; j < keys; ++j) {
      ahead.step();
      const V weight = softmax_weight(V::load(scores + 2 * j * lanes + u) - largest) * factor;
      weight.store(weights + j * lanes + u);
      (weight * (V::load(scores + (2 * j + 1) * lanes + u) - mean)).store(gradients + j * lanes + u);
    }
  }
}

template <class T>
void attention_gradient_keys(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t lanes = args.lanes;
  const std::int64_t width = whole_vectors<T>(args.head_dim);
  AttentionGradientHead<T> head{args.scratch, args.scratch + lanes * args.padded};
  T* gathered = args.scratch + 2 * lanes * args.padded;
  T* result = gathered + gradient_keys * args.padded;
  T* weights = result + gradient_keys * args.padded;
  T* gradients = weights + gradient_keys * lanes;
  T* combined = gradients + gradient_keys * lanes;
  for (std::int64_t task = begin; task < end; ++task) {
    const AttentionGradientPart<T> part = attention_gradient_part(args, task);
    if (head.gather(args, task, part.query)) {
      combine_statistics(args, args.statistics + head.number * args.parts * 3 * lanes, combined);
    }
    T* dq = args.dq_parts + task * args.queries * args.padded;
    for (std::int64_t j = 0; j < part.keys; j += gradient_keys) {
      const std::int64_t keys = std::min<std::int64_t>(gradient_keys, part.keys - j);
      const T* k = args.kv + part.key + j * 2 * channels;
      T* dk = args.dkv + part.key + j * 2 * channels;
      finish_scores(args, part.scores + 2 * j * lanes, keys, combined, weights, gradients,
                    keys_ahead(args, task, part, j, end, false));
      tiled_product<T>({weights, lanes, 1, head.dy, width, result, width}, keys, width, args.queries, false);
      scatter_rows(result, keys, args.head_dim, T(1), dk + channels, 2 * channels, args.add);
      tiled_product<T>({gradients, lanes, 1, head.q, width, result, width}, keys, width, args.queries, false);
      scatter_rows(result, keys, args.head_dim, T(1), dk, 2 * channels, args.add);
      gather_rows(k, 2 * channels, keys, args.head_dim, T(1), gathered);
      tiled_product<T>({gradients, 1, lanes, gathered, width, dq, width}, args.queries, width, keys, j > 0);
    }
  }
}

template <class T>
void attention_gradient_queries(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t elements = args.queries * whole_vectors<T>(args.head_dim);
  for (std::int64_t task = begin; task < end; ++task) {
    T* parts = args.dq_parts + task * args.parts * args.queries * args.padded;
    for (std::int64_t i = 0; i < elements; i += V::size) {
      V total = V::load(parts + i);
      for (std::int64_t p = 1; p < args.parts; ++p) {
        total = total + V::load(parts + p * args.queries * args.padded + i);
      }
      total.store(parts + i);
    }
    const std::int64_t number = args.first_head + task;
    T* dq = args.dq + number / args.heads * args.all_queries * channels + number % args.heads * args.head_dim;
    scatter_rows(parts, args.queries, args.head_dim, args.scale, dq, channels, false);
  }
}
