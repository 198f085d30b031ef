// Included once for each instruction set by kernels.hpp.

/// values * numerator / (denominator + 1e-6), in place.
template <class T>
DFORMER_ALWAYS_INLINE void multiplicative_update(T* values, const T* numerator, const T* denominator,
                                                 std::int64_t count) {
  using V = Vec<T>;
  const V epsilon = V::broadcast(T(1e-6));
  for (std::int64_t i = 0; i < count; i += V::size) {
    const V product = V::load(values + i) * V::load(numerator + i);
    (product / (V::load(denominator + i) + epsilon)).store(values + i);
  }
}

/// The first coefficients of one row: softmax of inv_t * similarities, zero in the padding.
template <class T>
DFORMER_ALWAYS_INLINE void first_coefficients(const NmfArgs<T>& args, const T* similarities,
                                              T* coefficients) {
  using V = Vec<T>;
  const V inv_t = V::broadcast(args.inv_t);
  for (std::int64_t j = 0; j < args.width; j += V::size)
    (V::load(similarities + j) * inv_t).store(coefficients + j);
  for (std::int64_t j = args.rank; j < args.width; ++j) coefficients[j] = std::numeric_limits<T>::lowest();
  V most = V::load(coefficients);
  for (std::int64_t j = V::size; j < args.width; j += V::size) most = max(V::load(coefficients + j), most);
  most = V::broadcast(largest(most));
  V total = V::zero();
  for (std::int64_t j = 0; j < args.width; j += V::size) {
    const V weight = exp(V::load(coefficients + j) - most);
    weight.store(coefficients + j);
    total = total + weight;
  }
  const V factor = V::broadcast(T(1) / sum(total));
  for (std::int64_t j = 0; j < args.width; j += V::size)
    (V::load(coefficients + j) * factor).store(coefficients + j);
}

/// Some rows of an image: a part of a slice, whose sums are set by its first block and added to by the
/// others.
struct NmfBlock {
  std::int64_t n;
  std::int64_t first;
  std::int64_t rows;
  bool add;
  std::int64_t left;  // rows of the slice behind it
};

/// The first block of the slice that is a task; blocks are of nearly equal size.
template <class T>
DFORMER_ALWAYS_INLINE NmfBlock nmf_first_block(const NmfArgs<T>& args, std::int64_t task) {
  const std::int64_t tiles = (args.rows + nmf_tile_rows - 1) / nmf_tile_rows;
  const std::int64_t slice = task % args.slices;
  const std::int64_t from = tiles * slice / args.slices * nmf_tile_rows;
  const std::int64_t to = std::min(args.rows, tiles * (slice + 1) / args.slices * nmf_tile_rows);
  const std::int64_t blocks = (to - from + nmf_block_rows - 1) / nmf_block_rows;
  const std::int64_t step =
      ((to - from + blocks - 1) / blocks + nmf_tile_rows - 1) / nmf_tile_rows * nmf_tile_rows;
  const std::int64_t rows = std::min(step, to - from);
  return {task / args.slices, from, rows, false, to - from - rows};
}

/// The block behind this one; of no rows behind the last.
DFORMER_ALWAYS_INLINE NmfBlock nmf_next_block(const NmfBlock& block) {
  const std::int64_t rows = std::min(block.rows, block.left);
  return {block.n, block.first + block.rows, rows, true, block.left - rows};
}

template <class T>
DFORMER_ALWAYS_INLINE void nmf_block(const NmfArgs<T>& args, const NmfBlock& block, T* sums) {
  const std::int64_t n = block.n;
  const std::int64_t first = block.first;
  const std::int64_t rows = block.rows;
  const std::int64_t width = args.width;
  const T* x = args.x + (n * args.rows + first) * args.channels;
  T* coefficients = args.coefficients + (n * args.rows + first) * width;
  T* numerator = args.scratch;
  T* denominator = numerator + nmf_block_rows * width;
  product<T>({x, args.channels, 1, args.bases + n * args.channels * width, width, numerator, width}, rows,
             width, args.channels, false);
  if (args.first) {
    for (std::int64_t i = 0; i < rows; ++i)
      first_coefficients(args, numerator + i * width, coefficients + i * width);
  }
  product<T>({coefficients, width, 1, args.gram + n * width * width, width, denominator, width}, rows, width,
             width, false);
  multiplicative_update(coefficients, numerator, denominator, rows * width);
  if (args.last) {
    T* y = args.y + (n * args.rows + first) * args.channels;
    product<T>({coefficients, width, 1, args.bases_transposed + n * width * args.channels_padded,
                args.channels_padded, y, args.channels},
               rows, args.channels, width, false);
  } else {
    product<T>({x, 1, args.channels, coefficients, width, sums, width}, args.channels, width, rows,
               block.add);
    product<T>({coefficients, 1, width, coefficients, width, sums + args.channels * width, width}, width,
               width, rows, block.add);
  }
}

template <class T>
void nmf_rows(const NmfArgs<T>& args, std::int64_t begin, std::int64_t end) {
  for (std::int64_t task = begin; task < end; ++task) {
    T* sums = args.sums + task * (args.channels + args.width) * args.width;
    for (NmfBlock block = nmf_first_block(args, task); block.rows > 0; block = nmf_next_block(block)) {
      nmf_block(args, block, sums);
    }
  }
}

template <class T>
void nmf_reduce(const NmfArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t rows = args.channels + args.width;
  for (std::int64_t task = begin; task < end; ++task) {
    T* row = args.sums + (task / rows * args.slices * rows + task % rows) * args.width;
    for (std::int64_t j = 0; j < args.width; j += V::size) {
      V total = V::load(row + j);
      for (std::int64_t s = 1; s < args.slices; ++s) total = total + V::load(row + s * rows * args.width + j);
      total.store(row + j);
    }
  }
}

template <class T>
void nmf_bases(const NmfArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t width = args.width;
  const std::int64_t tiles = (args.channels + nmf_tile_rows - 1) / nmf_tile_rows;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t n = task / tiles;
    const std::int64_t first = task % tiles * nmf_tile_rows;
    const std::int64_t rows = std::min<std::int64_t>(nmf_tile_rows, args.channels - first);
    const T* sums = args.sums + n * args.slices * (args.channels + width) * width;
    T* bases = args.bases + (n * args.channels + first) * width;
    product<T>({bases, width, 1, sums + args.channels * width, width, args.scratch, width}, rows, width,
               width, false);
    multiplicative_update(bases, sums + first * width, args.scratch, rows * width);
  }
}

template <class T>
void nmf_gram(const NmfArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t width = args.width;
  const std::int64_t tiles = (width + nmf_tile_rows - 1) / nmf_tile_rows;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t n = task / tiles;
    const std::int64_t first = task % tiles * nmf_tile_rows;
    const T* bases = args.bases + n * args.channels * width;
    product<T>({bases + first, 1, width, bases, width, args.gram + (n * width + first) * width, width},
               std::min<std::int64_t>(nmf_tile_rows, width - first), width, args.channels, false);
  }
}
