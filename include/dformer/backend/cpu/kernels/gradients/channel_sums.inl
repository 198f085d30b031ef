// Included once for each instruction set by gradients/kernels.hpp.
//
// Sums over rows are held in double: a sum over a million pixels then rounds no more than its terms, and
// memory is slower than the conversion.

/// The next Vec<double>::size elements.
template <class T>
DFORMER_ALWAYS_INLINE Vec<double> load_as_double(const T* p) {
  typedef T Part __attribute__((vector_size(sizeof(T) * Vec<double>::size), aligned(alignof(T)), may_alias));
  return {__builtin_convertvector(*reinterpret_cast<const Part*>(p), typename Vec<double>::Native)};
}
DFORMER_ALWAYS_INLINE Vec<double> load_as_double(const double* p) {
  return Vec<double>::load(p);
}

/// What one element adds to its channel's sums; V is Vec<double> or double.
struct SumOfValues {
  static constexpr int operands = 1, sums = 1;
  template <class V>
  DFORMER_ALWAYS_INLINE static void add(V a, V, V, V& first, V&) {
    first = first + a;
  }
};
struct SumOfProducts {
  static constexpr int operands = 2, sums = 1;
  template <class V>
  DFORMER_ALWAYS_INLINE static void add(V a, V b, V, V& first, V&) {
    first = first + a * b;
  }
};
/// Of differences from a value near the mean, and of their squares.
struct SumsOfMoments {
  static constexpr int operands = 1, sums = 2;
  template <class V>
  DFORMER_ALWAYS_INLINE static void add(V a, V, V shift, V& first, V& second) {
    const V d = a - shift;
    first = first + d;
    second = second + d * d;
  }
};
/// Of a, and of a times b's difference from its mean.
struct SumsOfBatchNorm {
  static constexpr int operands = 2, sums = 2;
  template <class V>
  DFORMER_ALWAYS_INLINE static void add(V a, V b, V shift, V& first, V& second) {
    first = first + a;
    second = second + a * (b - shift);
  }
};

/// Adds `Rows` rows of `width` elements.
template <class T, class Function, int Rows>
DFORMER_ALWAYS_INLINE void add_rows(const ChannelSumsArgs<T>& args, std::int64_t at, double* first,
                                    double* second) {
  using V = Vec<double>;
  const std::int64_t width = args.rows.width;
  for (std::int64_t c = 0; c < width; c += V::size) {
    V s = V::load(first + c);
    V t = Function::sums == 2 ? V::load(second + c) : V::zero();
    const V shift = Function::sums == 2 ? V::load(args.shift + c) : V::zero();
    DFORMER_UNROLL
    for (int row = 0; row < Rows; ++row) {
      const V a = load_as_double(args.a + at + row * width + c);
      const V b = Function::operands == 2 ? load_as_double(args.b + at + row * width + c) : V::zero();
      Function::add(a, b, shift, s, t);
    }
    s.store(first + c);
    if (Function::sums == 2) t.store(second + c);
  }
}

template <class T, class Function>
void channel_sums(const ChannelSumsArgs<T>& args, std::int64_t begin, std::int64_t end) {
  constexpr int rows_at_once = 8;
  const std::int64_t width = args.rows.width;
  const std::int64_t whole = args.rows.rows / args.rows.group;
  for (std::int64_t slice = begin; slice < end; ++slice) {
    double* first = args.sums + slice * ChannelSumsArgs<T>::sums_per_channel * width;
    double* second = first + width;
    for (std::int64_t c = 0; c < 2 * width; ++c) first[c] = 0;
    std::int64_t row = whole * slice / args.slices;
    const std::int64_t last = whole * (slice + 1) / args.slices;
    for (; row + rows_at_once <= last; row += rows_at_once) {
      add_rows<T, Function, rows_at_once>(args, row * width, first, second);
    }
    for (; row < last; ++row) add_rows<T, Function, 1>(args, row * width, first, second);
    if (slice + 1 == args.slices && whole < args.rows.tasks()) {
      const T* a = args.a + whole * width;
      const T* b = Function::operands == 2 ? args.b + whole * width : a;
      for (std::int64_t c = 0; c < args.rows.elements(whole); ++c) {
        const double shift = Function::sums == 2 ? args.shift[c] : 0;
        Function::add(static_cast<double>(a[c]), static_cast<double>(b[c]), shift, first[c], second[c]);
      }
    }
  }
}
