// Included once for each instruction set by gradients/kernels.hpp.

/// A head of an image and a part of its keys.
template <class T>
struct AttentionGradientPart {
  std::int64_t query;  // where the head's queries begin
  std::int64_t key;    // where the part's keys begin; their values are one row's key channels further on
  std::int64_t keys;
  T* scores;  // [keys, 2, lanes]: products of queries and keys, and of gradients and values
};

template <class T>
DFORMER_ALWAYS_INLINE AttentionGradientPart<T> attention_gradient_part(const AttentionGradientArgs<T>& args,
                                                                       std::int64_t task) {
  const std::int64_t channels = args.heads * args.head_dim;
  const std::int64_t part = task % args.parts;
  const std::int64_t number = args.first_head + task / args.parts;
  const std::int64_t head = number % args.heads;
  const std::int64_t n = number / args.heads;
  const std::int64_t first = args.keys * part / args.parts;
  return {n * args.all_queries * channels + head * args.head_dim,
          (n * args.keys + first) * 2 * channels + head * args.head_dim,
          args.keys * (part + 1) / args.parts - first,
          args.scores + (task / args.parts * args.keys + first) * 2 * args.lanes};
}

/// One head's queries and the gradients of its result, [queries, width], which another head's make way for.
template <class T>
struct AttentionGradientHead {
  T* q;
  T* dy;
  std::int64_t number = -1;

  /// True when the head is another than before.
  DFORMER_ALWAYS_INLINE bool gather(const AttentionGradientArgs<T>& args, std::int64_t task,
                                    std::int64_t query) {
    if (task / args.parts == number) return false;
    number = task / args.parts;
    const std::int64_t channels = args.heads * args.head_dim;
    gather_rows(args.q + query, channels, args.queries, args.head_dim, args.scale, q);
    gather_rows(args.dy + query, channels, args.queries, args.head_dim, T(1), dy);
    return true;
  }
};

/// Expects the keys behind a block, with or without their values: those of the next part after the last
/// block.
template <class T>
DFORMER_ALWAYS_INLINE RowsAhead keys_ahead(const AttentionGradientArgs<T>& args, std::int64_t task,
                                           const AttentionGradientPart<T>& part, std::int64_t block,
                                           std::int64_t end, bool values) {
  const std::int64_t channels = args.heads * args.head_dim;
  std::int64_t first = part.key + block * 2 * channels;
  std::int64_t left = part.keys - block;
  RowsAhead ahead;
  if (left <= gradient_keys) {
    if (task + 1 == end) return ahead;
    const AttentionGradientPart<T> next = attention_gradient_part(args, task + 1);
    first = next.key;
    left = next.keys;
  } else {
    first += gradient_keys * 2 * channels;
    left -= gradient_keys;
  }
  const std::int64_t count = std::min<std::int64_t>(gradient_keys, left);
  ahead.expect(args.kv + first, 2 * channels, count, args.head_dim);
  if (values) ahead.expect(args.kv + first + channels, 2 * channels, count, args.head_dim);
  ahead.spread(std::min<std::int64_t>(gradient_keys, part.keys - block) * whole_vectors<T>(args.queries) /
               Vec<T>::size);
  return ahead;
}
