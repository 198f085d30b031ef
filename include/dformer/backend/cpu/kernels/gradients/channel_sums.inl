// Included once for each instruction set by gradients/kernels.hpp.
//
// Sums over rows are held in double: a sum over a million pixels then rounds no more than its terms, and
// memory is slower than the conversion.

/// A vector of T in double: as many vectors as that takes.
template <class T>
struct Doubled {
  static constexpr int parts = static_cast<int>(sizeof(double) / sizeof(T));
  Vec<double> part[parts];
};

template <std::size_t... I>
DFORMER_ALWAYS_INLINE Doubled<float> doubled(Vec<float> x, std::index_sequence<I...>) {
  // Both halves at once: converting them one by one is several instructions each.
  typedef double Both __attribute__((vector_size(2 * vector_bytes)));
  const Both both = __builtin_convertvector(x.v, Both);
  return {{{__builtin_shufflevector(both, both, I...)},
           {__builtin_shufflevector(both, both, (I + sizeof...(I))...)}}};
}
DFORMER_ALWAYS_INLINE Doubled<float> load_as_double(const float* p) {
  return doubled(Vec<float>::load(p), std::make_index_sequence<Vec<double>::size>());
}
DFORMER_ALWAYS_INLINE Doubled<double> load_as_double(const double* p) {
  return {{Vec<double>::load(p)}};
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
  constexpr int parts = Doubled<T>::parts;
  const std::int64_t width = args.rows.width;
  for (std::int64_t c = 0; c < width; c += Vec<T>::size) {
    V s[parts], t[parts], shift[parts];
    for (int i = 0; i < parts; ++i) {
      s[i] = V::load(first + c + i * V::size);
      t[i] = Function::sums == 2 ? V::load(second + c + i * V::size) : V::zero();
      shift[i] = Function::sums == 2 ? V::load(args.shift + c + i * V::size) : V::zero();
    }
    DFORMER_UNROLL
    for (int row = 0; row < Rows; ++row) {
      if (Rows > 1) {  // so many rows at once are more than the processor sees coming
        __builtin_prefetch(args.a + at + (row + Rows) * width + c);
        if (Function::operands == 2) __builtin_prefetch(args.b + at + (row + Rows) * width + c);
      }
      const Doubled<T> a = load_as_double(args.a + at + row * width + c);
      Doubled<T> b = a;
      if (Function::operands == 2) b = load_as_double(args.b + at + row * width + c);
      for (int i = 0; i < parts; ++i) Function::add(a.part[i], b.part[i], shift[i], s[i], t[i]);
    }
    for (int i = 0; i < parts; ++i) {
      s[i].store(first + c + i * V::size);
      if (Function::sums == 2) t[i].store(second + c + i * V::size);
    }
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
