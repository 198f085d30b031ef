// Included once for each instruction set by kernels.hpp.

template <class T, int... I>
DFORMER_ALWAYS_INLINE Vec<T> pairs_exchanged(Vec<T> x, std::integer_sequence<int, I...>) {
  return {__builtin_shufflevector(x.v, x.v, (I ^ 1)...)};
}

/// Cosines, and sines with the sign that the even channels need, of one token. The product is rounded to
/// float before either, as the reference does.
template <class T>
DFORMER_ALWAYS_INLINE void rotary_table(const RotaryArgs<T>& args, std::int64_t token, T* cosine, T* sine) {
  using V = Vec<T>;
  for (std::int64_t c = 0; c < args.head_dim; c += V::size) {
    const int count = static_cast<int>(std::min<std::int64_t>(V::size, args.head_dim - c));
    alignas(vector_bytes) T turn[V::size] = {};
    for (int i = 0; i < count; ++i) {
      turn[i] = static_cast<T>(static_cast<float>(token) * static_cast<float>(args.angle[c + i]));
    }
    V s;
    V co;
    sincos(V::load(turn), s, co);
    co.store_part(cosine + c, count);
    s.store_part(sine + c, count);
  }
  for (std::int64_t c = 0; c < args.head_dim; c += 2) sine[c] = -sine[c];
}

template <class T>
void rotary(const RotaryArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const V scale = V::broadcast(args.scale);
  const std::int64_t full = args.head_dim / V::size * V::size;
  T* cosine = args.scratch;
  T* sine = cosine + args.head_dim;
  for (std::int64_t token = begin; token < end; ++token) {
    rotary_table(args, token % args.tokens, cosine, sine);
    for (std::int64_t head = 0; head < args.heads; ++head) {
      const T* x = args.x + (token * args.heads + head) * args.head_dim;
      T* y = args.y + (token * args.heads + head) * args.head_dim;
      for (std::int64_t c = 0; c < full; c += V::size) {
        const V scaled = V::load(x + c) * scale;
        const V other = pairs_exchanged(scaled, std::make_integer_sequence<int, V::size>());
        fma(scaled, V::load(cosine + c), other * V::load(sine + c)).store(y + c);
      }
      for (std::int64_t c = full; c < args.head_dim; c += 2) {
        const T even = x[c] * args.scale;
        const T odd = x[c + 1] * args.scale;
        y[c] = even * cosine[c] + odd * sine[c];
        y[c + 1] = odd * cosine[c + 1] + even * sine[c + 1];
      }
    }
  }
}
