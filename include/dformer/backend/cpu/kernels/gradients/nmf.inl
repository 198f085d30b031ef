// Included once for each instruction set by gradients/kernels.hpp.

/// The rows of a step: coefficients before it lie `stride` apart.
template <class T>
struct NmfHistory {
  T* numerator;  // x B(s), then its gradient
  T* next;       // C(s + 1), kept of all but the last step
  const T* coefficients;
  std::int64_t stride;
};

/// Coefficients before the first step are not kept: they are made again in `scratch`.
template <class T>
DFORMER_ALWAYS_INLINE NmfHistory<T> nmf_coefficients(const NmfGradientArgs<T>& args, T* row,
                                                     std::int64_t rows, T* scratch) {
  const std::int64_t width = args.width;
  T* const numerator = row + 2 * args.step * width;
  if (args.step > 0) return {numerator, numerator + width, numerator - width, args.history_width};
  for (std::int64_t i = 0; i < rows; ++i) {
    first_coefficients(args, numerator + i * args.history_width, scratch + i * width);
  }
  return {numerator, numerator + width, scratch, width};
}

template <class T>
DFORMER_ALWAYS_INLINE void nmf_history_block(const NmfGradientArgs<T>& args, const NmfBlock& block, T* sums) {
  const std::int64_t width = args.width;
  const std::int64_t stride = args.history_width;
  const std::int64_t channels = args.channels;
  const T* x = args.x + (block.n * args.rows + block.first) * channels;
  T* row = args.history + (block.n * args.rows + block.first) * stride;
  T* numerator = row + 2 * args.step * width;
  T* denominator = args.scratch;
  product<T>({x, channels, 1, args.bases + block.n * channels * width, width, numerator, stride}, block.rows,
             width, channels, false);
  const NmfHistory<T> at = nmf_coefficients(args, row, block.rows, denominator + nmf_block_rows * width);
  product<T>({at.coefficients, at.stride, 1, args.gram + block.n * width * width, width, denominator, width},
             block.rows, width, width, false);
  for (std::int64_t i = 0; i < block.rows; ++i) {
    std::memcpy(at.next + i * stride, at.coefficients + i * at.stride,
                static_cast<std::size_t>(width) * sizeof(T));
    multiplicative_update(at.next + i * stride, at.numerator + i * stride, denominator + i * width, width);
  }
  product<T>({x, 1, channels, at.next, stride, sums, width}, channels, width, block.rows, block.add);
  product<T>({at.next, 1, stride, at.next, stride, sums + channels * width, width}, width, width, block.rows,
             block.add);
}

template <class T>
void nmf_history(const NmfGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  for (std::int64_t task = begin; task < end; ++task) {
    T* sums = args.sums + task * (args.channels + args.width) * args.width;
    for (NmfBlock block = nmf_first_block(args, task); block.rows > 0; block = nmf_next_block(block)) {
      nmf_history_block(args, block, sums);
    }
  }
}

/// Of values * numerator / (denominator + 1e-6): its gradient to that of the values, and those of numerator
/// and denominator.
template <class T>
DFORMER_ALWAYS_INLINE void update_gradient(const T* values, const T* numerator, const T* denominator,
                                           T* gradient, T* dnumerator, T* ddenominator, std::int64_t count) {
  using V = Vec<T>;
  const V epsilon = V::broadcast(T(1e-6));
  for (std::int64_t i = 0; i < count; i += V::size) {
    const V inverse = V::broadcast(T(1)) / (V::load(denominator + i) + epsilon);
    const V quotient = V::load(numerator + i) * inverse;
    const V given = V::load(gradient + i);
    const V of_numerator = given * V::load(values + i) * inverse;
    of_numerator.store(dnumerator + i);
    (V::zero() - of_numerator * quotient).store(ddenominator + i);
    (given * quotient).store(gradient + i);
  }
}

/// Adds to `total` the gradient of inv_t * similarities, of which the coefficients are the softmax.
template <class T>
DFORMER_ALWAYS_INLINE void add_similarities_gradient(const NmfGradientArgs<T>& args, const T* coefficients,
                                                     const T* gradient, T* total) {
  using V = Vec<T>;
  V products = V::zero();
  for (std::int64_t j = 0; j < args.width; j += V::size) {
    products = fma(V::load(coefficients + j), V::load(gradient + j), products);
  }
  const V mean = V::broadcast(sum(products));
  const V inv_t = V::broadcast(args.inv_t);
  for (std::int64_t j = 0; j < args.width; j += V::size) {
    const V own = V::load(coefficients + j) * (V::load(gradient + j) - mean);
    fma(own, inv_t, V::load(total + j)).store(total + j);
  }
}

template <class T>
DFORMER_ALWAYS_INLINE void nmf_gradient_block(const NmfGradientArgs<T>& args, const NmfBlock& block,
                                              T* sums) {
  const std::int64_t width = args.width;
  const std::int64_t stride = args.history_width;
  const std::int64_t channels = args.channels;
  const bool last = args.step == args.steps;
  const std::int64_t first = block.n * args.rows + block.first;
  const T* x = args.x + first * channels;
  const T* dy = args.dy + first * channels;
  const T* bases = args.bases + block.n * channels * width;
  const T* gram = args.gram + block.n * width * width;
  T* row = args.history + first * stride;
  T* gradient = args.dcoefficients + first * width;
  T* denominator = args.scratch;
  T* updated = denominator + 2 * nmf_block_rows * width;

  if (last) {
    T* numerator = row + 2 * args.step * width;
    product<T>({x, channels, 1, bases, width, numerator, stride}, block.rows, width, channels, false);
    product<T>({dy, channels, 1, bases, width, gradient, width}, block.rows, width, channels, false);
  } else {
    const T* next = row + (2 * args.step + 1) * width;
    product<T>({x, channels, 1, args.dnumerators + block.n * channels * width, width, gradient, width},
               block.rows, width, channels, true);
    product<T>({next, stride, 1, args.dgram + block.n * width * width, width, gradient, width}, block.rows,
               width, width, true);
  }
  const NmfHistory<T> at = nmf_coefficients(args, row, block.rows, denominator + nmf_block_rows * width);
  product<T>({at.coefficients, at.stride, 1, gram, width, denominator, width}, block.rows, width, width,
             false);
  if (last && args.step > 0) {
    for (std::int64_t i = 0; i < block.rows; ++i) {
      std::memcpy(updated + i * width, at.coefficients + i * at.stride,
                  static_cast<std::size_t>(width) * sizeof(T));
      multiplicative_update(updated + i * width, at.numerator + i * stride, denominator + i * width, width);
    }
    product<T>({dy, 1, channels, updated, width, sums, width}, channels, width, block.rows, block.add);
  }
  for (std::int64_t i = 0; i < block.rows; ++i) {
    T* numerator = at.numerator + i * stride;
    update_gradient(at.coefficients + i * at.stride, numerator, denominator + i * width, gradient + i * width,
                    numerator, denominator + i * width, width);
  }
  product<T>({denominator, width, 1, gram, width, gradient, width}, block.rows, width, width, true);
  if (args.step > 0) {
    product<T>({x, 1, channels, at.numerator, stride, sums, width}, channels, width, block.rows,
               block.add || last);
    product<T>({at.coefficients, 1, at.stride, denominator, width, sums + channels * width, width}, width,
               width, block.rows, block.add);
  } else {
    for (std::int64_t i = 0; i < block.rows; ++i) {
      add_similarities_gradient(args, at.coefficients + i * width, gradient + i * width,
                                at.numerator + i * stride);
    }
  }
}

template <class T>
void nmf_gradient_rows(const NmfGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  for (std::int64_t task = begin; task < end; ++task) {
    T* sums = args.sums + task * (args.channels + args.width) * args.width;
    for (NmfBlock block = nmf_first_block(args, task); block.rows > 0; block = nmf_next_block(block)) {
      nmf_gradient_block(args, block, sums);
    }
  }
}

template <class T>
void nmf_gradient_bases(const NmfGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t width = args.width;
  const std::int64_t channels = args.channels;
  const std::int64_t tiles = (channels + nmf_tile_rows - 1) / nmf_tile_rows;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t n = task / tiles;
    const std::int64_t first = task % tiles * nmf_tile_rows;
    const std::int64_t rows = std::min<std::int64_t>(nmf_tile_rows, channels - first);
    const std::int64_t at = (n * channels + first) * width;
    const T* sums = args.sums + n * args.slices * (channels + width) * width;
    const T* found = args.found + n * (channels + width) * width;
    T* gradient = args.dbases + at;
    for (std::int64_t i = 0; i < rows * width; i += V::size) {
      (V::load(gradient + i) + V::load(sums + first * width + i)).store(gradient + i);
    }
    product<T>({args.next_bases + at, width, 1, sums + channels * width, width, gradient, width}, rows, width,
               width, true);
    product<T>({args.bases + at, width, 1, found + channels * width, width, args.scratch, width}, rows, width,
               width, false);
    update_gradient(args.bases + at, found + first * width, args.scratch, gradient, args.dnumerators + at,
                    args.ddenominators + at, rows * width);
    product<T>({args.ddenominators + at, width, 1, found + channels * width, width, gradient, width}, rows,
               width, width, true);
  }
}

template <class T>
void nmf_gradient_gram(const NmfGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t width = args.width;
  const std::int64_t tiles = (width + nmf_tile_rows - 1) / nmf_tile_rows;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t n = task / tiles;
    const std::int64_t first = task % tiles * nmf_tile_rows;
    const std::int64_t at = n * args.channels * width;
    product<T>({args.bases + at + first, 1, width, args.ddenominators + at, width,
                args.dgram + (n * width + first) * width, width},
               std::min<std::int64_t>(nmf_tile_rows, width - first), width, args.channels, false);
  }
}

template <class T>
void nmf_gradient_weights(const NmfGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t width = args.width;
  const std::int64_t panels = panels_of(args.channels);
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t first = task % panels * panel_width;
    const std::int64_t at = (task / panels * args.channels + first) * width;
    const std::int64_t channels = std::min(panel_width, args.channels - first);
    T* to = args.weights + task * args.history_width * panel_width;
    for (std::int64_t piece = 0; piece <= 2 * args.steps; ++piece) {
      const T* from = (piece % 2 == 0 ? args.bases : args.dnumerators) + piece / 2 * args.image_bases + at;
      for (std::int64_t r = 0; r < width; ++r) {
        for (std::int64_t c = 0; c < panel_width; ++c) to[c] = c < channels ? from[c * width + r] : T(0);
        to += panel_width;
      }
    }
  }
}
