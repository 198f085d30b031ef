// Included once for each instruction set by gradients/kernels.hpp.
//
// The small matrix products of the gradients, in the tiles of nmf_product.inl. A result of any size is cut
// into tiles of nearly equal width and height, so that none is left over that keeps few sums at a time.

/// Rows of a tile this many vectors wide whose sums stay in registers, beside a row of the right-hand side.
template <int Vectors>
inline constexpr int tile_height = std::min(12, (vector_registers - 2 - Vectors) / Vectors);

template <int Rows, int Vectors, class T>
void whole_tile(const Product<T>& p, std::int64_t depth, bool add) {
  product_tile<Rows, Vectors>(p, depth, add, Vectors * Vec<T>::size);
}

/// whole_tile for 1, 2, ... rows.
template <class T, int Vectors, class Rows = std::make_integer_sequence<int, tile_height<Vectors>>>
struct WholeTiles;
template <class T, int Vectors, int... Rows>
struct WholeTiles<T, Vectors, std::integer_sequence<int, Rows...>> {
  using Function = void (*)(const Product<T>& p, std::int64_t depth, bool add);
  static constexpr Function of_rows[] = {&whole_tile<Rows + 1, Vectors, T>...};
};

template <int Vectors, class T>
DFORMER_ALWAYS_INLINE void tiles_of_width(const Product<T>& p, std::int64_t rows, std::int64_t depth,
                                          bool add) {
  const std::int64_t tiles = (rows + tile_height<Vectors> - 1) / tile_height<Vectors>;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t row = rows * tile / tiles;
    const std::int64_t next = rows * (tile + 1) / tiles;
    Product<T> at = p;
    at.a += row * p.row_stride;
    at.c += row * p.c_stride;
    WholeTiles<T, Vectors>::of_rows[next - row - 1](at, depth, add);
  }
}

/// c [rows, columns] = a b, or += when `add`; columns a multiple of Vec<T>::size.
template <class T>
void tiled_product(const Product<T>& p, std::int64_t rows, std::int64_t columns, std::int64_t depth,
                   bool add) {
  const std::int64_t vectors = columns / Vec<T>::size;
  const std::int64_t strips = (vectors + product_vectors - 1) / product_vectors;
  for (std::int64_t d = 0; d < depth; d += product_depth) {
    const std::int64_t some = std::min(product_depth, depth - d);
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      const std::int64_t first = vectors * strip / strips;
      Product<T> part = p;
      part.a += d * p.depth_stride;
      part.b += d * p.b_stride + first * Vec<T>::size;
      part.c += first * Vec<T>::size;
      switch (vectors * (strip + 1) / strips - first) {
        case 1:
          tiles_of_width<1>(part, rows, some, add || d > 0);
          break;
        case 2:
          tiles_of_width<2>(part, rows, some, add || d > 0);
          break;
        case 3:
          if constexpr (product_vectors > 2) tiles_of_width<3>(part, rows, some, add || d > 0);
          break;
        default:
          if constexpr (product_vectors > 2) tiles_of_width<4>(part, rows, some, add || d > 0);
      }
    }
  }
}
