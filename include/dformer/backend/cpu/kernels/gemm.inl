// Included once for each instruction set by kernels.hpp.

#if defined(__aarch64__)
inline constexpr int vector_registers = 32;
#else
inline constexpr int vector_registers = vector_bytes == 64 ? 32 : 16;
#endif

/// The largest tile of the result whose sums stay in registers, beside a row of the right-hand side and two
/// more.
template <class T>
struct ProductTile {
  static constexpr int panels = std::max(1, 2 * Vec<T>::size / static_cast<int>(panel_width));
  static constexpr int vectors = panels * static_cast<int>(panel_width) / Vec<T>::size;
  static constexpr int rows = std::max(1, (vector_registers - vectors - 2) / vectors);
};

/// Finishes and stores the sums of one tile: `sums` is [rows][width], of which the channels that exist are
/// stored.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE void store_column(const MatrixProductArgs<T>& args, const T* sums, int width, int rows,
                                        std::int64_t row, std::int64_t c, int count) {
  for (int r = 0; r < rows; ++r) {
    const std::int64_t at = (row + r) * args.channels + c;
    const Vec<T> y = apply_epilogue<T, Part>(args.epilogue, Vec<T>::load(sums + r * width), c, at, count);
    if constexpr (Part) {
      y.store_part(args.y + at, count);
    } else {
      y.store(args.y + at);
    }
  }
}

template <class T>
[[gnu::noinline]] void store_tile(const MatrixProductArgs<T>& args, const T* sums, int width, int rows,
                                  std::int64_t row, std::int64_t channel) {
  const std::int64_t channels = std::min<std::int64_t>(width, args.channels - channel);
  for (int v = 0; v < channels; v += Vec<T>::size) {
    const auto count = static_cast<int>(std::min<std::int64_t>(Vec<T>::size, channels - v));
    if (count == Vec<T>::size) {
      store_column<T, false>(args, sums + v, width, rows, row, channel + v, count);
    } else {
      store_column<T, true>(args, sums + v, width, rows, row, channel + v, count);
    }
  }
}

template <class T, int Panels, int Rows>
void product_tile(const MatrixProductArgs<T>& args, std::int64_t row, std::int64_t panel) {
  using V = Vec<T>;
  constexpr int width = Panels * static_cast<int>(panel_width);
  constexpr int vectors = width / V::size;
  constexpr int panel_vectors = vectors / Panels;
  const std::int64_t a_stride = args.a_stride;
  const std::int64_t b_stride = args.depth * panel_width;
  const T* a = args.a + row * a_stride;
  const T* b = args.b + panel * b_stride;

  V sums[Rows][vectors];
  DFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = V::zero();
  }
  for (std::int64_t k = 0; k < args.depth; ++k) {
    V right[vectors];
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) {
      right[v] = V::load(b + v / panel_vectors * b_stride + k * panel_width + v % panel_vectors * V::size);
    }
    DFORMER_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const V left = V::broadcast(a[r * a_stride + k]);
      DFORMER_UNROLL
      for (int v = 0; v < vectors; ++v) sums[r][v] = fma(left, right[v], sums[r][v]);
    }
  }

  alignas(vector_bytes) T tile[Rows][width];
  DFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v].store(&tile[r][v * V::size]);
  }
  store_tile(args, &tile[0][0], width, Rows, row, panel * panel_width);
}

/// product_tile for 1, 2, ... rows.
template <class T, int Panels, class Rows = std::make_integer_sequence<int, ProductTile<T>::rows>>
struct ProductTiles;
template <class T, int Panels, int... Rows>
struct ProductTiles<T, Panels, std::integer_sequence<int, Rows...>> {
  using Function = void (*)(const MatrixProductArgs<T>&, std::int64_t row, std::int64_t panel);
  static constexpr Function of_rows[] = {&product_tile<T, Panels, Rows + 1>...};
};

/// One or more neighbouring panels by all rows, in tiles of nearly equal height: a few tiles of one row less
/// cost nothing, a last one of a single row would cost as much as a whole one.
template <class T, int Panels>
void product_column(const MatrixProductArgs<T>& args, std::int64_t panel) {
  const std::int64_t tiles = (args.rows + ProductTile<T>::rows - 1) / ProductTile<T>::rows;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t row = args.rows * tile / tiles;
    const std::int64_t rows = args.rows * (tile + 1) / tiles - row;
    ProductTiles<T, Panels>::of_rows[rows - 1](args, row, panel);
  }
}

template <class T>
void matrix_product(const MatrixProductArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int panels = ProductTile<T>::panels;
  std::int64_t panel = begin;
  for (; panel + panels <= end; panel += panels) product_column<T, panels>(args, panel);
  for (; panel < end; ++panel) product_column<T, 1>(args, panel);
}
