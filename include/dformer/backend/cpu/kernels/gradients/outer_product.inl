// Included once for each instruction set by gradients/kernels.hpp.

/// One tile of the weight's gradient, [Panels][Inputs][16], whose sums over `rows` stay in registers. Both
/// operands are read as they lie: a row of x gives the factors, one by one, a row of dy the vectors.
template <class T, int Panels, int Inputs>
void outer_product_tile(const OuterProductArgs<T>& args, const T* x, const T* dy, std::int64_t dy_stride,
                        std::int64_t rows, T* to, bool add) {
  using V = Vec<T>;
  constexpr int panel_vectors = static_cast<int>(panel_width) / V::size;
  constexpr int vectors = Panels * panel_vectors;
  V sums[Inputs][vectors];
  DFORMER_UNROLL
  for (int i = 0; i < Inputs; ++i) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[i][v] = V::zero();
  }
  for (std::int64_t row = 0; row < rows; ++row, x += args.x_stride, dy += dy_stride) {
    V right[vectors];
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) right[v] = V::load(dy + v * V::size);
    DFORMER_UNROLL
    for (int i = 0; i < Inputs; ++i) {
      const V left = V::broadcast(x[i]);
      DFORMER_UNROLL
      for (int v = 0; v < vectors; ++v) sums[i][v] = fma(left, right[v], sums[i][v]);
    }
  }
  DFORMER_UNROLL
  for (int v = 0; v < vectors; ++v) {
    T* const column = to + v / panel_vectors * args.panel_stride + v % panel_vectors * V::size;
    DFORMER_UNROLL
    for (int i = 0; i < Inputs; ++i) {
      T* const at = column + i * panel_width;
      (add ? V::load(at) + sums[i][v] : sums[i][v]).store(at);
    }
  }
}

/// outer_product_tile for 1, 2, ... inputs.
template <class T, int Panels, class Inputs = std::make_integer_sequence<int, ProductTile<T>::rows>>
struct OuterProductTiles;
template <class T, int Panels, int... Inputs>
struct OuterProductTiles<T, Panels, std::integer_sequence<int, Inputs...>> {
  using Function = void (*)(const OuterProductArgs<T>&, const T* x, const T* dy, std::int64_t dy_stride,
                            std::int64_t rows, T* to, bool add);
  static constexpr Function of_inputs[] = {&outer_product_tile<T, Panels, Inputs + 1>...};
};

/// A block of rows for `Panels` panels: all inputs, in tiles of nearly equal height.
template <class T, int Panels>
DFORMER_ALWAYS_INLINE void outer_product_panels(const OuterProductArgs<T>& args, const T* x, const T* dy,
                                                std::int64_t dy_stride, std::int64_t rows, std::int64_t panel,
                                                bool add) {
  const std::int64_t tiles = (args.inputs + ProductTile<T>::rows - 1) / ProductTile<T>::rows;
  T* const to = args.sums + panel * args.panel_stride;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t i = args.inputs * tile / tiles;
    const std::int64_t next = args.inputs * (tile + 1) / tiles;
    OuterProductTiles<T, Panels>::of_inputs[next - i - 1](args, x + i, dy, dy_stride, rows,
                                                          to + i * panel_width, add);
  }
}

/// The last panel of a number of channels that 16 does not divide; its columns are copied beside zeros.
template <class T>
[[gnu::noinline]] void outer_product_last(const OuterProductArgs<T>& args, const T* x, const T* dy,
                                          std::int64_t rows, std::int64_t panel, bool add) {
  alignas(vector_bytes) T padded[OuterProductArgs<T>::max_block_rows * panel_width] = {};
  const std::int64_t count = args.channels - panel * panel_width;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < count; ++c)
      padded[row * panel_width + c] = dy[row * args.channels + panel * panel_width + c];
  }
  outer_product_panels<T, 1>(args, x, padded, panel_width, rows, panel, add);
}

template <class T>
void outer_product(const OuterProductArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int panels = ProductTile<T>::panels;
  const std::int64_t whole = std::min(end, args.channels / panel_width);
  for (std::int64_t row = 0; row < args.rows; row += args.block_rows) {
    const std::int64_t rows = std::min(args.block_rows, args.rows - row);
    const T* const x = args.x + row * args.x_stride;
    const T* const dy = args.dy + row * args.channels;
    const bool add = args.add || row > 0;
    std::int64_t panel = begin;
    for (; panel + panels <= whole; panel += panels) {
      outer_product_panels<T, panels>(args, x, dy + panel * panel_width, args.channels, rows, panel, add);
    }
    for (; panel < whole; ++panel) {
      outer_product_panels<T, 1>(args, x, dy + panel * panel_width, args.channels, rows, panel, add);
    }
    if (panel < end) outer_product_last(args, x, dy, rows, panel, add);
  }
}

template <class T>
void sum_parts(const SumPartsArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t last = std::min(end * SumPartsArgs<T>::chunk, args.elements);
  std::int64_t i = begin * SumPartsArgs<T>::chunk;
  for (; i + V::size <= last; i += V::size) {
    V total = V::load(args.parts + i);
    for (std::int64_t part = 1; part < args.count; ++part)
      total = total + V::load(args.parts + part * args.elements + i);
    total.store(args.y + i);
  }
  for (; i < last; ++i) {
    T total = args.parts[i];
    for (std::int64_t part = 1; part < args.count; ++part) total += args.parts[part * args.elements + i];
    args.y[i] = total;
  }
}
