// Included once for each instruction set by kernels.hpp.

/// The first `count` elements, and minus infinity behind them: neither a maximum nor a sum of exponentials
/// sees those.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> load_logits(const T* p, int count) {
  alignas(vector_bytes) T part[Vec<T>::size];
  Vec<T>::broadcast(-std::numeric_limits<T>::infinity()).store(part);
  for (int i = 0; i < count; ++i) part[i] = p[i];
  return Vec<T>::load(part);
}

template <class T>
void softmax(const SoftmaxArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t full = args.channels / V::size * V::size;
  const int rest = static_cast<int>(args.channels - full);
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = args.x + row * args.channels;
    T* y = args.y + row * args.channels;
    const V tail = load_logits(x + full, rest);
    V tops = tail;
    for (std::int64_t c = 0; c < full; c += V::size) tops = max(tops, V::load(x + c));
    const V top = V::broadcast(largest(tops));
    const V tail_power = exp(tail - top);
    V sums = tail_power;
    for (std::int64_t c = 0; c < full; c += V::size) {
      const V power = exp(V::load(x + c) - top);
      power.store(y + c);
      sums = sums + power;
    }
    const V scale = V::broadcast(T(1) / sum(sums));
    for (std::int64_t c = 0; c < full; c += V::size) (V::load(y + c) * scale).store(y + c);
    if (rest > 0) (tail_power * scale).store_part(y + full, rest);
  }
}
