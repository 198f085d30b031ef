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

/// Finishes and stores Rows rows of a column of vectors.
template <class T, bool Part, int Rows>
DFORMER_ALWAYS_INLINE void store_rows(const MatrixProductArgs<T>& args, const T* sums, int width,
                                      std::int64_t row, std::int64_t c, int count) {
  const std::int64_t at = row * args.channels + c;
  Vec<T> y[Rows];
  for (int r = 0; r < Rows; ++r) y[r] = Vec<T>::load(sums + r * width);
  apply_epilogue<T, Part>(args.epilogue, y, c, at, args.channels, count);
  for (int r = 0; r < Rows; ++r) {
    T* const to = args.y + at + r * args.channels;
    if constexpr (Part) {
      y[r].store_part(to, count);
    } else {
      y[r].store(to);
    }
  }
}

/// Finishes and stores the sums of one tile: `sums` is [rows][width], of which the channels that exist are
/// stored.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE void store_column(const MatrixProductArgs<T>& args, const T* sums, int width, int rows,
                                        std::int64_t row, std::int64_t c, int count) {
  int r = 0;
  for (; r + activated_at_once <= rows; r += activated_at_once)
    store_rows<T, Part, activated_at_once>(args, sums + r * width, width, row + r, c, count);
  for (; r + 2 <= rows; r += 2) store_rows<T, Part, 2>(args, sums + r * width, width, row + r, c, count);
  if (r < rows) store_rows<T, Part, 1>(args, sums + r * width, width, row + r, c, count);
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

/// Memory that the next tile will read, asked for a few lines at a time while this one is computed: the rows
/// of a tile are too many streams for the processor to foresee all of them.
struct Ahead {
  const char* at;
  std::int64_t lines;  ///< left to ask for
  std::int64_t lines_per_step;

  static constexpr std::int64_t line_bytes = 64;
  static constexpr std::int64_t step = 32;  ///< of the depth

  DFORMER_ALWAYS_INLINE void fetch() {
    const std::int64_t now = std::min(lines, lines_per_step);
    for (std::int64_t i = 0; i < now; ++i) __builtin_prefetch(at + i * line_bytes, 0, 2);
    at += now * line_bytes;
    lines -= now;
  }
};

template <class T, int Panels, int Rows>
void product_tile(const MatrixProductArgs<T>& args, std::int64_t row, std::int64_t panel, Ahead& ahead) {
  using V = Vec<T>;
  constexpr int width = Panels * static_cast<int>(panel_width);
  constexpr int vectors = width / V::size;
  constexpr int panel_vectors = vectors / Panels;
  const std::int64_t depth = args.depth;
  const T* a = args.a + row * depth;
  const T* b = args.b + panel * depth * panel_width;

  V sums[Rows][vectors];
  DFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v] = V::zero();
  }
  for (std::int64_t start = 0; start < depth; start += Ahead::step) {
    ahead.fetch();
    const std::int64_t stop = std::min(start + Ahead::step, depth);
    for (std::int64_t k = start; k < stop; ++k) {
      V right[vectors];
      DFORMER_UNROLL
      for (int v = 0; v < vectors; ++v) {
        right[v] = V::load(b + (v / panel_vectors * depth + k) * panel_width + v % panel_vectors * V::size);
      }
      DFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const V left = V::broadcast(a[r * depth + k]);
        DFORMER_UNROLL
        for (int v = 0; v < vectors; ++v) sums[r][v] = fma(left, right[v], sums[r][v]);
      }
    }
  }

  const std::int64_t channel = panel * panel_width;
  if (args.epilogue.is_affine() && channel + width <= args.channels) {
    T* y = args.y + row * args.channels + channel;
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t c = channel + v * V::size;
      const V scale = load_operand_or<T, false>(1, args.epilogue.scale, c, V::size);
      const V shift = load_operand_or<T, false>(0, args.epilogue.shift, c, V::size);
      DFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) {
        fma(sums[r][v], scale, shift).store(y + r * args.channels + v * V::size);
      }
    }
    return;
  }
  alignas(vector_bytes) T tile[Rows][width];
  DFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[r][v].store(&tile[r][v * V::size]);
  }
  store_tile(args, &tile[0][0], width, Rows, row, channel);
}

/// product_tile for 1, 2, ... rows.
template <class T, int Panels, class Rows = std::make_integer_sequence<int, ProductTile<T>::rows>>
struct ProductTiles;
template <class T, int Panels, int... Rows>
struct ProductTiles<T, Panels, std::integer_sequence<int, Rows...>> {
  using Function = void (*)(const MatrixProductArgs<T>&, std::int64_t row, std::int64_t panel, Ahead& ahead);
  static constexpr Function of_rows[] = {&product_tile<T, Panels, Rows + 1>...};
};

/// In tiles of nearly equal height: a few tiles of one row less cost nothing, a last one of a single row
/// would cost as much as a whole one. The result is written row by row of tiles, in the order of memory.
template <class T>
void matrix_product(const MatrixProductArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int panels = ProductTile<T>::panels;
  constexpr std::int64_t line_elements = Ahead::line_bytes / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t tiles = (args.rows + ProductTile<T>::rows - 1) / ProductTile<T>::rows;
  const std::int64_t steps =
      (end - begin + panels - 1) / panels * ((args.depth + Ahead::step - 1) / Ahead::step);
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t row = args.rows * tile / tiles;
    const std::int64_t next = args.rows * (tile + 1) / tiles;
    const std::int64_t after = args.rows * std::min(tile + 2, tiles) / tiles;
    const std::int64_t lines = (after - next) * args.depth / line_elements;
    Ahead ahead{reinterpret_cast<const char*>(args.a + next * args.depth), lines,
                lines / std::max<std::int64_t>(steps, 1) + 1};
    std::int64_t panel = begin;
    for (; panel + panels <= end; panel += panels) {
      ProductTiles<T, panels>::of_rows[next - row - 1](args, row, panel, ahead);
    }
    for (; panel < end; ++panel) ProductTiles<T, 1>::of_rows[next - row - 1](args, row, panel, ahead);
  }
}
