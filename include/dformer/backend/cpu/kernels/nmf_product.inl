// Included once for each instruction set by kernels.hpp.
//
// The small matrix products of the factorization: c = a b or c += a b, where element (i, p) of a is at
// a[i * row_stride + p * depth_stride] (so a transposed is only other strides) and rows of b and c are padded
// to whole vectors.

inline constexpr int product_vectors = vector_bytes == 64 ? 4 : 2;
inline constexpr std::int64_t product_depth = 128;  // rows of b that stay in the first-level cache

template <class T>
struct Product {
  const T* a;
  std::int64_t row_stride;
  std::int64_t depth_stride;
  const T* b;
  std::int64_t b_stride;
  T* c;
  std::int64_t c_stride;
};

/// `columns` is less than Vectors whole vectors only at the end of a row of c that has no padding.
template <int Rows, int Vectors, class T>
DFORMER_ALWAYS_INLINE void product_tile(const Product<T>& p, std::int64_t depth, bool add,
                                        std::int64_t columns) {
  using V = Vec<T>;
  const bool whole = columns >= Vectors * V::size;
  V sum[Rows][Vectors];
  DFORMER_UNROLL
  for (int i = 0; i < Rows; ++i) {
    DFORMER_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      sum[i][j] = add ? V::load(p.c + i * p.c_stride + j * V::size) : V::zero();
    }
  }
  const T* a = p.a;
  const T* b = p.b;
  for (std::int64_t d = 0; d < depth; ++d) {
    V row[Vectors];
    DFORMER_UNROLL
    for (int j = 0; j < Vectors; ++j) row[j] = V::load(b + j * V::size);
    DFORMER_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const V element = V::broadcast(a[i * p.row_stride]);
      DFORMER_UNROLL
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fma(element, row[j], sum[i][j]);
    }
    a += p.depth_stride;
    b += p.b_stride;
  }
  DFORMER_UNROLL
  for (int i = 0; i < Rows; ++i) {
    DFORMER_UNROLL
    for (int j = 0; j < Vectors; ++j) {
      T* to = p.c + i * p.c_stride + j * V::size;
      if (whole) {
        sum[i][j].store(to);
      } else {
        sum[i][j].store_part(to, static_cast<int>(columns));
      }
    }
  }
}

template <int Vectors, class T>
DFORMER_ALWAYS_INLINE void product_rows(Product<T> p, std::int64_t rows, std::int64_t depth, bool add,
                                        std::int64_t columns) {
  std::int64_t i = 0;
  for (; i + nmf_tile_rows <= rows; i += nmf_tile_rows) {
    product_tile<nmf_tile_rows, Vectors>(p, depth, add, columns);
    p.a += nmf_tile_rows * p.row_stride;
    p.c += nmf_tile_rows * p.c_stride;
  }
  for (; i < rows; ++i) {
    product_tile<1, Vectors>(p, depth, add, columns);
    p.a += p.row_stride;
    p.c += p.c_stride;
  }
}

/// c [rows, columns] = a b, or += when `add` (then c's rows must be padded).
template <class T>
void product(Product<T> p, std::int64_t rows, std::int64_t columns, std::int64_t depth, bool add) {
  constexpr std::int64_t wide = product_vectors * Vec<T>::size;
  for (std::int64_t d = 0; d < depth; d += product_depth) {
    const std::int64_t some = std::min(product_depth, depth - d);
    Product<T> panel = p;
    panel.a += d * p.depth_stride;
    panel.b += d * p.b_stride;
    std::int64_t j = 0;
    for (; j + wide <= columns; j += wide) {
      product_rows<product_vectors>(panel, rows, some, add || d > 0, wide);
      panel.b += wide;
      panel.c += wide;
    }
    for (; j < columns; j += Vec<T>::size) {
      product_rows<1>(panel, rows, some, add || d > 0, columns - j);
      panel.b += Vec<T>::size;
      panel.c += Vec<T>::size;
    }
  }
}
