// Included once for each instruction set by gradients/kernels.hpp.

/// A share of the lines of memory that will be read next, fetched a few at a time while others are computed
/// with.
struct LinesAhead {
  const char* row;
  std::int64_t stride;  ///< bytes from row to row
  std::int64_t lines;   ///< of a row
  std::int64_t line;    ///< the next of this row
  std::int64_t left;
  std::int64_t now;  ///< to fetch at a time

  static constexpr std::int64_t line_bytes = 64;
  static constexpr std::int64_t step = 8;  ///< rows that are computed with from one time to the next

  /// Share `share` of `shares` of rows of `width` elements, while `steps` times are fetched.
  template <class T>
  DFORMER_ALWAYS_INLINE static LinesAhead share_of(const T* from, std::int64_t rows, std::int64_t width,
                                                   std::int64_t stride, std::int64_t share,
                                                   std::int64_t shares, std::int64_t steps) {
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t lines = (width * size + line_bytes - 1) / line_bytes;
    const std::int64_t first = rows * lines * share / shares;
    const std::int64_t left = from == nullptr ? 0 : rows * lines * (share + 1) / shares - first;
    return {reinterpret_cast<const char*>(from) + first / std::max<std::int64_t>(lines, 1) * stride * size,
            stride * size,
            lines,
            first % std::max<std::int64_t>(lines, 1),
            left,
            (left + steps - 1) / steps};
  }

  DFORMER_ALWAYS_INLINE void fetch() {
    now = std::min(left, now);
    for (std::int64_t i = 0; i < now; ++i) {
      __builtin_prefetch(row + line * line_bytes, 0, 2);
      if (++line == lines) {
        line = 0;
        row += stride;
      }
    }
    left -= now;
  }
};

/// What one tile reads and writes.
template <class T>
struct OuterProductTile {
  const T* x;
  const T* dy;
  std::int64_t dy_stride;
  T* packed;  ///< where the rows of dy are copied to, one behind another; null if they lie so
  T* to;
  bool add;
  LinesAhead ahead[2];  ///< of x and of dy
};

/// One tile of the weight's gradient, [Panels][Inputs][16], whose sums over the block stay in registers. A
/// row of x gives the factors, one by one, a row of dy the vectors.
template <class T, int Panels, int Inputs, bool Pack>
void outer_product_tile(const OuterProductArgs<T>& args, const OuterProductColumns<T>& columns,
                        OuterProductTile<T>& tile) {
  using V = Vec<T>;
  constexpr int panel_vectors = static_cast<int>(panel_width) / V::size;
  constexpr int vectors = Panels * panel_vectors;
  constexpr std::int64_t width = Panels * panel_width;
  const std::int64_t dy_stride = Pack ? tile.dy_stride : width;
  V sums[Inputs][vectors];
  DFORMER_UNROLL
  for (int i = 0; i < Inputs; ++i) {
    DFORMER_UNROLL
    for (int v = 0; v < vectors; ++v) sums[i][v] = V::zero();
  }
  for (std::int64_t line = 0; line < columns.lines; ++line) {
    const T* x = tile.x + line * columns.x_line;
    const T* dy = tile.dy + (columns.first_row + line * columns.line_rows) * dy_stride;
    for (std::int64_t start = 0; start < columns.positions; start += LinesAhead::step) {
      for (LinesAhead& ahead : tile.ahead) ahead.fetch();
      const std::int64_t stop = std::min(start + LinesAhead::step, columns.positions);
      for (std::int64_t row = start; row < stop; ++row, x += columns.x_stride, dy += dy_stride) {
        V right[vectors];
        DFORMER_UNROLL
        for (int v = 0; v < vectors; ++v) right[v] = V::load(dy + v * V::size);
        if constexpr (Pack) {
          DFORMER_UNROLL
          for (int v = 0; v < vectors; ++v) right[v].store(tile.packed + row * width + v * V::size);
        }
        DFORMER_UNROLL
        for (int i = 0; i < Inputs; ++i) {
          const V left = V::broadcast(x[i]);
          DFORMER_UNROLL
          for (int v = 0; v < vectors; ++v) sums[i][v] = fma(left, right[v], sums[i][v]);
        }
      }
    }
  }
  DFORMER_UNROLL
  for (int v = 0; v < vectors; ++v) {
    T* const column = tile.to + v / panel_vectors * args.panel_stride + v % panel_vectors * V::size;
    DFORMER_UNROLL
    for (int i = 0; i < Inputs; ++i) {
      T* const at = column + i * panel_width;
      (tile.add ? V::load(at) + sums[i][v] : sums[i][v]).store(at);
    }
  }
}

/// outer_product_tile for 1, 2, ... inputs.
template <class T, int Panels, bool Pack,
          class Inputs = std::make_integer_sequence<int, ProductTile<T>::rows>>
struct OuterProductTiles;
template <class T, int Panels, bool Pack, int... Inputs>
struct OuterProductTiles<T, Panels, Pack, std::integer_sequence<int, Inputs...>> {
  using Function = void (*)(const OuterProductArgs<T>&, const OuterProductColumns<T>&, OuterProductTile<T>&);
  static constexpr Function of_inputs[] = {&outer_product_tile<T, Panels, Inputs + 1, Pack>...};
};

template <class T>
DFORMER_ALWAYS_INLINE std::int64_t tiles_of(const OuterProductColumns<T>& columns) {
  return (columns.width + ProductTile<T>::rows - 1) / ProductTile<T>::rows;
}

/// The columns of dy of one or two panels, copied together; zeros behind the last.
template <class T>
[[gnu::noinline]] void pack_panels(const OuterProductArgs<T>& args, std::int64_t panel, std::int64_t width,
                                   T* packed) {
  using V = Vec<T>;
  const T* from = args.dy + panel * panel_width;
  const std::int64_t count = std::min(width, args.channels - panel * panel_width);
  for (std::int64_t row = 0; row < args.rows; ++row, from += args.channels, packed += width) {
    std::int64_t c = 0;
    for (; c + V::size <= count; c += V::size) V::load(from + c).store(packed + c);
    for (; c < count; ++c) packed[c] = from[c];
    for (; c < width; ++c) packed[c] = T(0);
  }
}

/// `Panels` panels for all columns, in tiles of nearly equal height. dy is copied together by the first tile,
/// since rows that lie a power of two apart would drive each other out of the cache. `share` of `shares`: of
/// the next block of x that is fetched meanwhile.
template <class T, int Panels>
DFORMER_ALWAYS_INLINE void outer_product_panels(const OuterProductArgs<T>& args, std::int64_t panel,
                                                const T* dy_ahead, std::int64_t share, std::int64_t shares) {
  constexpr std::int64_t width = Panels * panel_width;
  alignas(vector_bytes) T packed[OuterProductArgs<T>::max_rows * width];
  const bool whole = (panel + Panels) * panel_width <= args.channels;
  bool pack = Panels == ProductTile<T>::panels && whole && args.columns[0].are_all(args.rows);
  if (!pack) pack_panels(args, panel, width, packed);

  std::int64_t all_tiles = 0;
  for (std::int64_t c = 0; c < args.count; ++c) all_tiles += tiles_of(args.columns[c]);
  std::int64_t done = 0;
  for (std::int64_t c = 0; c < args.count; ++c) {
    const OuterProductColumns<T>& columns = args.columns[c];
    const std::int64_t tiles = tiles_of(columns);
    const std::int64_t steps = std::max<std::int64_t>(
        1, columns.lines * ((columns.positions + LinesAhead::step - 1) / LinesAhead::step));
    T* const to = args.sums + panel * args.panel_stride + columns.column * panel_width;
    for (std::int64_t tile = 0; tile < tiles; ++tile, ++done) {
      const std::int64_t i = columns.width * tile / tiles;
      const std::int64_t inputs = columns.width * (tile + 1) / tiles - i;
      OuterProductTile<T> at{
          columns.x + i,
          packed,
          width,
          nullptr,
          to + i * panel_width,
          args.add,
          {LinesAhead::share_of(columns.ahead, columns.ahead_rows, columns.ahead_width, columns.ahead_stride,
                                share * tiles + tile, shares * tiles, steps),
           LinesAhead::share_of(dy_ahead, args.rows, width, args.channels, done, all_tiles, steps)}};
      if constexpr (Panels == ProductTile<T>::panels) {
        if (pack) {
          pack = false;
          at.dy = args.dy + panel * panel_width;
          at.dy_stride = args.channels;
          at.packed = packed;
          OuterProductTiles<T, Panels, true>::of_inputs[inputs - 1](args, columns, at);
          continue;
        }
      }
      OuterProductTiles<T, Panels, false>::of_inputs[inputs - 1](args, columns, at);
    }
  }
}

template <class T>
void outer_product(const OuterProductArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int panels = ProductTile<T>::panels;
  const std::int64_t shares = (end - begin + panels - 1) / panels;
  const T* const next_block =
      args.goes_on ? args.dy + args.rows * args.channels + begin * panel_width : nullptr;
  std::int64_t panel = begin;
  for (std::int64_t share = 0; panel + panels <= end; ++share, panel += panels) {
    const T* const next = panel + 2 * panels <= end ? args.dy + (panel + panels) * panel_width : next_block;
    outer_product_panels<T, panels>(args, panel, next, share, shares);
  }
  for (; panel < end; ++panel) outer_product_panels<T, 1>(args, panel, nullptr, shares - 1, shares);
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
