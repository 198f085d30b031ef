// Included once for each instruction set by gradients/kernels.hpp.

/// One row of a layer norm. With n = (x - mean) * scale, and g = dy * weight:
/// dx = scale * (g - mean of g - n * mean of g * n); the bias' gradient adds dy, the weight's dy * n.
template <class T>
DFORMER_ALWAYS_INLINE void layer_norm_gradient_row(const LayerNormGradientArgs<T>& args, const T* x,
                                                   const T* dy, T* dx, T* weight_sums, T* bias_sums) {
  using V = Vec<T>;
  const T* weight = args.weight;
  const std::int64_t channels = args.channels;
  const std::int64_t full = channels / V::size * V::size;
  const T count = static_cast<T>(channels);
  V sums = V::zero();
  T rest = 0;
  for (std::int64_t c = 0; c < full; c += V::size) sums = sums + V::load(x + c);
  for (std::int64_t c = full; c < channels; ++c) rest += x[c];
  const T mean = (sum(sums) + rest) / count;
  const V means = V::broadcast(mean);

  V squares = V::zero(), gradients = V::zero(), products = V::zero();
  T square_rest = 0, gradient_rest = 0, product_rest = 0;
  for (std::int64_t c = 0; c < full; c += V::size) {
    const V d = V::load(x + c) - means;
    const V g = V::load(dy + c) * V::load(weight + c);
    squares = fma(d, d, squares);
    gradients = gradients + g;
    products = fma(g, d, products);
  }
  for (std::int64_t c = full; c < channels; ++c) {
    const T d = x[c] - mean;
    const T g = dy[c] * weight[c];
    square_rest += d * d;
    gradient_rest += g;
    product_rest += g * d;
  }
  const T scale = T(1) / std::sqrt((sum(squares) + square_rest) / count + args.eps);
  const T mean_gradient = (sum(gradients) + gradient_rest) / count;
  const T slope = (sum(products) + product_rest) / count * scale * scale;

  const V scales = V::broadcast(scale), mean_gradients = V::broadcast(mean_gradient),
          slopes = V::broadcast(slope);
  for (std::int64_t c = 0; c < full; c += V::size) {
    const V d = V::load(x + c) - means;
    const V upstream = V::load(dy + c);
    const V g = upstream * V::load(weight + c);
    ((g - mean_gradients - d * slopes) * scales).store(dx + c);
    fma(upstream, d * scales, V::load(weight_sums + c)).store(weight_sums + c);
    (V::load(bias_sums + c) + upstream).store(bias_sums + c);
  }
  for (std::int64_t c = full; c < channels; ++c) {
    const T d = x[c] - mean;
    dx[c] = (dy[c] * weight[c] - mean_gradient - d * slope) * scale;
    weight_sums[c] += dy[c] * d * scale;
    bias_sums[c] += dy[c];
  }
}

template <class T>
void layer_norm_gradient(const LayerNormGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t channels = args.channels;
  for (std::int64_t slice = begin; slice < end; ++slice) {
    T* sums = args.sums + slice * 2 * channels;
    for (std::int64_t c = 0; c < 2 * channels; ++c) sums[c] = 0;
    const std::int64_t last = args.rows * (slice + 1) / args.slices;
    for (std::int64_t row = args.rows * slice / args.slices; row < last; ++row) {
      const std::int64_t at = row * channels;
      layer_norm_gradient_row(args, args.x + at, args.dy + at, args.dx + at, sums, sums + channels);
    }
  }
}

template <class T>
void batch_norm_gradient(const BatchNormGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  for (std::int64_t task = begin; task < end; ++task) {
    const T* x = args.x + task * args.rows.width;
    const T* dy = args.dy + task * args.rows.width;
    T* dx = args.dx + task * args.rows.width;
    const std::int64_t count = args.rows.elements(task);
    std::int64_t c = 0;
    for (; c + V::size <= count; c += V::size) {
      const V d = V::load(x + c) - V::load(args.mean + c);
      const V linear = fma(V::load(args.slope + c), d, V::load(args.shift + c));
      fma(V::load(args.scale + c), V::load(dy + c), linear).store(dx + c);
    }
    for (; c < count; ++c) {
      dx[c] = args.scale[c] * dy[c] + (args.slope[c] * (x[c] - args.mean[c]) + args.shift[c]);
    }
  }
}
