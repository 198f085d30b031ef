// Included once for each instruction set by gradients/kernels.hpp.

/// What one row of a layer norm amounts to.
template <class T>
struct LayerNormRow {
  T mean;
  T scale;          ///< 1 / sqrt(variance + eps)
  T mean_gradient;  ///< mean of g
  T slope;          ///< scale^2 * mean of g * (x - mean)
};

/// `Rows` rows, side by side so that none waits for its sums. With g = dy * weight and n = (x - mean) *
/// scale: dx = scale * (g - mean of g - n * mean of g * n); the bias' gradient adds dy, the weight's dy * n.
template <class T, int Rows>
DFORMER_ALWAYS_INLINE void layer_norm_gradient_rows(const LayerNormGradientArgs<T>& args, std::int64_t at,
                                                    T* weight_sums, T* bias_sums) {
  using V = Vec<T>;
  const T* const x = args.x + at;
  const T* const dy = args.dy + at;
  const T* const weight = args.weight;
  const std::int64_t channels = args.channels;
  const std::int64_t full = channels / V::size * V::size;
  const T count = static_cast<T>(channels);
  LayerNormRow<T> rows[Rows];

  V sums[Rows];
  DFORMER_UNROLL
  for (int row = 0; row < Rows; ++row) sums[row] = V::zero();
  for (std::int64_t c = 0; c < full; c += V::size) {
    DFORMER_UNROLL
    for (int row = 0; row < Rows; ++row) sums[row] = sums[row] + V::load(x + row * channels + c);
  }
  DFORMER_UNROLL
  for (int row = 0; row < Rows; ++row) {
    T rest = 0;
    for (std::int64_t c = full; c < channels; ++c) rest += x[row * channels + c];
    rows[row].mean = (sum(sums[row]) + rest) / count;
  }

  V squares[Rows], gradients[Rows], products[Rows];
  DFORMER_UNROLL
  for (int row = 0; row < Rows; ++row) squares[row] = gradients[row] = products[row] = V::zero();
  for (std::int64_t c = 0; c < full; c += V::size) {
    const V weights = V::load(weight + c);
    DFORMER_UNROLL
    for (int row = 0; row < Rows; ++row) {
      const V d = V::load(x + row * channels + c) - V::broadcast(rows[row].mean);
      const V g = V::load(dy + row * channels + c) * weights;
      squares[row] = fma(d, d, squares[row]);
      gradients[row] = gradients[row] + g;
      products[row] = fma(g, d, products[row]);
    }
  }
  DFORMER_UNROLL
  for (int row = 0; row < Rows; ++row) {
    T square_rest = 0, gradient_rest = 0, product_rest = 0;
    for (std::int64_t c = full; c < channels; ++c) {
      const T d = x[row * channels + c] - rows[row].mean;
      const T g = dy[row * channels + c] * weight[c];
      square_rest += d * d;
      gradient_rest += g;
      product_rest += g * d;
    }
    const T scale = T(1) / std::sqrt((sum(squares[row]) + square_rest) / count + args.eps);
    rows[row].scale = scale;
    rows[row].mean_gradient = (sum(gradients[row]) + gradient_rest) / count;
    rows[row].slope = (sum(products[row]) + product_rest) / count * scale * scale;
  }

  T* const dx = args.dx + at;
  for (std::int64_t c = 0; c < full; c += V::size) {
    const V weights = V::load(weight + c);
    V weight_sum = V::load(weight_sums + c);
    V bias_sum = V::load(bias_sums + c);
    DFORMER_UNROLL
    for (int row = 0; row < Rows; ++row) {
      const V d = V::load(x + row * channels + c) - V::broadcast(rows[row].mean);
      const V upstream = V::load(dy + row * channels + c);
      const V scale = V::broadcast(rows[row].scale);
      const V g = fma(upstream, weights, V::broadcast(-rows[row].mean_gradient));
      (fma(d, V::broadcast(-rows[row].slope), g) * scale).store(dx + row * channels + c);
      weight_sum = fma(upstream, d * scale, weight_sum);
      bias_sum = bias_sum + upstream;
    }
    weight_sum.store(weight_sums + c);
    bias_sum.store(bias_sums + c);
  }
  for (int row = 0; row < Rows; ++row) {
    for (std::int64_t c = full; c < channels; ++c) {
      const T d = x[row * channels + c] - rows[row].mean;
      const T upstream = dy[row * channels + c];
      const T g = upstream * weight[c] - rows[row].mean_gradient;
      dx[row * channels + c] = (g - d * rows[row].slope) * rows[row].scale;
      weight_sums[c] += upstream * d * rows[row].scale;
      bias_sums[c] += upstream;
    }
  }
}

template <class T>
void layer_norm_gradient(const LayerNormGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int rows_at_once = 2;
  const std::int64_t channels = args.channels;
  for (std::int64_t slice = begin; slice < end; ++slice) {
    T* const sums = args.sums + slice * 2 * channels;
    for (std::int64_t c = 0; c < 2 * channels; ++c) sums[c] = 0;
    std::int64_t row = args.rows * slice / args.slices;
    const std::int64_t last = args.rows * (slice + 1) / args.slices;
    for (; row + rows_at_once <= last; row += rows_at_once) {
      layer_norm_gradient_rows<T, rows_at_once>(args, row * channels, sums, sums + channels);
    }
    for (; row < last; ++row) layer_norm_gradient_rows<T, 1>(args, row * channels, sums, sums + channels);
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
