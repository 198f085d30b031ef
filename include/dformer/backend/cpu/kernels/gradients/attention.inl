// Included once for each instruction set by gradients/kernels.hpp.

/// What belongs to a task: a head of an image and a block of its keys.
template <class T>
struct AttentionGradientBlock {
  const T* q;
  const T* dy;
  const T* k;  // the values are one row's key channels further on
  T* dk;
  T* weights;
  T* responses;
  T* statistics;
  std::int64_t keys;
};

template <class T>
DFORMER_ALWAYS_INLINE AttentionGradientBlock<T> attention_gradient_block(const AttentionGradientArgs<T>& args,
                                                                         std::int64_t task) {
  constexpr std::int64_t unit = 16;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t block = task % args.blocks;
  const std::int64_t head = task / args.blocks % args.heads;
  const std::int64_t n = task / args.blocks / args.heads;
  const std::int64_t units = (args.keys + unit - 1) / unit;
  const std::int64_t first = units * block / args.blocks * unit;
  const std::int64_t query = n * args.all_queries * channels + head * args.head_dim;
  const std::int64_t key = (n * args.keys + first) * 2 * channels + head * args.head_dim;
  const std::int64_t score = task * gradient_keys * args.lanes;
  return {args.q + query,
          args.dy + query,
          args.kv + key,
          args.dkv + key,
          args.weights + score,
          args.responses + score,
          args.statistics + task * 3 * args.lanes,
          std::min(args.keys, units * (block + 1) / args.blocks * unit) - first};
}

template <class T>
void attention_gradient_scores(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t lanes = args.lanes;
  const std::int64_t columns = whole_vectors<T>(args.queries);
  const std::int64_t width = whole_vectors<T>(args.head_dim);
  T* rows = args.scratch;
  T* q = rows + lanes * args.padded;
  T* dy = q + lanes * args.padded;
  std::int64_t gathered = -1;  // the head whose queries are at hand
  for (std::int64_t task = begin; task < end; ++task) {
    const AttentionGradientBlock<T> block = attention_gradient_block(args, task);
    if (task / args.blocks != gathered) {
      gathered = task / args.blocks;
      gather_rows(block.q, channels, args.queries, args.head_dim, args.scale, rows);
      gathered_to_lanes(rows, args.queries, width, lanes, q);
      gather_rows(block.dy, channels, args.queries, args.head_dim, T(1), rows);
      gathered_to_lanes(rows, args.queries, width, lanes, dy);
    }
    tiled_product<T>({block.k, 2 * channels, 1, q, lanes, block.weights, lanes}, block.keys, columns,
                     args.head_dim, false);
    tiled_product<T>({block.k + channels, 2 * channels, 1, dy, lanes, block.responses, lanes}, block.keys,
                     columns, args.head_dim, false);
    for (std::int64_t u = 0; u < columns; u += V::size) {
      V largest = V::load(block.weights + u);
      for (std::int64_t j = 1; j < block.keys; ++j) {
        largest = max(V::load(block.weights + j * lanes + u), largest);
      }
      V total = V::zero();
      V response = V::zero();
      for (std::int64_t j = 0; j < block.keys; ++j) {
        T* at = block.weights + j * lanes + u;
        const V weight = softmax_weight(V::load(at) - largest);
        weight.store(at);
        total = total + weight;
        response = fma(weight, V::load(block.responses + j * lanes + u), response);
      }
      largest.store(block.statistics + u);
      total.store(block.statistics + lanes + u);
      response.store(block.statistics + 2 * lanes + u);
    }
  }
}

/// The statistics of a head's blocks together: the largest score, 1 / the sum of weights, and the mean
/// response.
template <class T>
DFORMER_ALWAYS_INLINE void combine_statistics(const AttentionGradientArgs<T>& args, const T* statistics,
                                              T* combined) {
  using V = Vec<T>;
  const std::int64_t lanes = args.lanes;
  for (std::int64_t u = 0; u < whole_vectors<T>(args.queries); u += V::size) {
    V largest = V::load(statistics + u);
    for (std::int64_t b = 1; b < args.blocks; ++b) {
      largest = max(V::load(statistics + b * 3 * lanes + u), largest);
    }
    V total = V::zero();
    V response = V::zero();
    for (std::int64_t b = 0; b < args.blocks; ++b) {
      const T* found = statistics + b * 3 * lanes + u;
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

/// Weights to the softmax's, responses to the gradients of the scores.
template <class T>
DFORMER_ALWAYS_INLINE void finish_scores(const AttentionGradientArgs<T>& args,
                                         const AttentionGradientBlock<T>& block, const T* combined) {
  using V = Vec<T>;
  const std::int64_t lanes = args.lanes;
  for (std::int64_t u = 0; u < whole_vectors<T>(args.queries); u += V::size) {
    const V rescale =
        softmax_weight(V::load(block.statistics + u) - V::load(combined + u)) * V::load(combined + lanes + u);
    const V mean = V::load(combined + 2 * lanes + u);
    for (std::int64_t j = 0; j < block.keys; ++j) {
      T* weight = block.weights + j * lanes + u;
      T* response = block.responses + j * lanes + u;
      const V share = V::load(weight) * rescale;
      share.store(weight);
      (share * (V::load(response) - mean)).store(response);
    }
  }
}

template <class T>
void attention_gradient_keys(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t lanes = args.lanes;
  const std::int64_t width = whole_vectors<T>(args.head_dim);
  T* q = args.scratch;
  T* dy = q + lanes * args.padded;
  T* keys = dy + lanes * args.padded;
  T* result = keys + gradient_keys * args.padded;
  T* combined = result + gradient_keys * args.padded;
  std::int64_t gathered = -1;
  for (std::int64_t task = begin; task < end; ++task) {
    const AttentionGradientBlock<T> block = attention_gradient_block(args, task);
    if (task / args.blocks != gathered) {
      gathered = task / args.blocks;
      gather_rows(block.q, channels, args.queries, args.head_dim, args.scale, q);
      gather_rows(block.dy, channels, args.queries, args.head_dim, T(1), dy);
      combine_statistics(args, args.statistics + gathered * args.blocks * 3 * lanes, combined);
    }
    finish_scores(args, block, combined);
    const T* scores = block.responses;
    tiled_product<T>({block.weights, lanes, 1, dy, width, result, width}, block.keys, width, args.queries,
                     false);
    scatter_rows(result, block.keys, args.head_dim, T(1), block.dk + channels, 2 * channels, args.add);
    tiled_product<T>({scores, lanes, 1, q, width, result, width}, block.keys, width, args.queries, false);
    scatter_rows(result, block.keys, args.head_dim, T(1), block.dk, 2 * channels, args.add);
    gather_rows(block.k, 2 * channels, block.keys, args.head_dim, T(1), keys);
    T* part = args.dq_parts + task * args.queries * args.padded;
    tiled_product<T>({scores, 1, lanes, keys, width, part, width}, args.queries, width, block.keys, false);
  }
}

template <class T>
void attention_gradient_queries(const AttentionGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t elements = args.queries * whole_vectors<T>(args.head_dim);
  for (std::int64_t task = begin; task < end; ++task) {
    T* parts = args.dq_parts + task * args.blocks * args.queries * args.padded;
    for (std::int64_t i = 0; i < elements; i += V::size) {
      V total = V::load(parts + i);
      for (std::int64_t b = 1; b < args.blocks; ++b) {
        total = total + V::load(parts + b * args.queries * args.padded + i);
      }
      total.store(parts + i);
    }
    T* dq = args.dq + task / args.heads * args.all_queries * channels + task % args.heads * args.head_dim;
    scatter_rows(parts, args.queries, args.head_dim, args.scale, dq, channels, false);
  }
}
