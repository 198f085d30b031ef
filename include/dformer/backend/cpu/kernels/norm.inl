// Included once for each instruction set by kernels.hpp.

template <class T>
void scale_shift(const ScaleShiftArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t full = args.channels / V::size * V::size;
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = args.x + row * args.channels;
    T* y = args.y + row * args.channels;
    for (std::int64_t c = 0; c < full; c += V::size) {
      fma(V::load(x + c), V::load(args.scale + c), V::load(args.shift + c)).store(y + c);
    }
    for (std::int64_t c = full; c < args.channels; ++c) y[c] = x[c] * args.scale[c] + args.shift[c];
  }
}

template <class T>
void layer_norm(const LayerNormArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  const std::int64_t full = channels / V::size * V::size;
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = args.x + row * channels;
    T* y = args.y + row * channels;
    V sums = V::zero();
    T rest = 0;
    for (std::int64_t c = 0; c < full; c += V::size) sums = sums + V::load(x + c);
    for (std::int64_t c = full; c < channels; ++c) rest += x[c];
    const T mean = (sum(sums) + rest) / static_cast<T>(channels);
    // The squares are those of differences from the mean: the row is in the first cache, and a large mean
    // costs no digits.
    const V means = V::broadcast(mean);
    V squares = V::zero();
    rest = 0;
    for (std::int64_t c = 0; c < full; c += V::size) {
      const V d = V::load(x + c) - means;
      squares = fma(d, d, squares);
    }
    for (std::int64_t c = full; c < channels; ++c) rest += (x[c] - mean) * (x[c] - mean);
    const T scale = T(1) / std::sqrt((sum(squares) + rest) / static_cast<T>(channels) + args.eps);
    const V scales = V::broadcast(scale);
    for (std::int64_t c = 0; c < full; c += V::size) {
      fma((V::load(x + c) - means) * scales, V::load(args.weight + c), V::load(args.bias + c)).store(y + c);
    }
    for (std::int64_t c = full; c < channels; ++c) {
      y[c] = (x[c] - mean) * scale * args.weight[c] + args.bias[c];
    }
  }
}
