// Included once for each instruction set by gradients/kernels.hpp.

/// The transposed rotation: as rotary.inl has it, with the neighbour's product exchanged instead of the
/// neighbour.
template <class T>
void rotary_gradient(const RotaryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const V scale = V::broadcast(args.scale);
  const std::int64_t full = args.head_dim / V::size * V::size;
  T* cosine = args.scratch;
  T* sine = cosine + args.head_dim;
  for (std::int64_t token = begin; token < end; ++token) {
    rotary_table(args, token % args.tokens, cosine, sine);
    for (std::int64_t head = 0; head < args.heads; ++head) {
      const T* dy = args.x + (token * args.heads + head) * args.head_dim;
      T* dx = args.y + (token * args.heads + head) * args.head_dim;
      for (std::int64_t c = 0; c < full; c += V::size) {
        const V scaled = V::load(dy + c) * scale;
        const V other =
            pairs_exchanged(scaled * V::load(sine + c), std::make_integer_sequence<int, V::size>());
        fma(scaled, V::load(cosine + c), other).store(dx + c);
      }
      for (std::int64_t c = full; c < args.head_dim; c += 2) {
        const T even = dy[c] * args.scale;
        const T odd = dy[c + 1] * args.scale;
        dx[c] = even * cosine[c] + odd * sine[c + 1];
        dx[c + 1] = odd * cosine[c + 1] + even * sine[c];
      }
    }
  }
}
