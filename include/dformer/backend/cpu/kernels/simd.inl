// Included once for each instruction set by kernels.hpp, inside its namespace and under its compiler target.

/// A vector register of T. Plain compiler vectors underneath: one source for every instruction set and
/// element type.
template <class T>
struct Vec {
  static constexpr int size = vector_bytes / static_cast<int>(sizeof(T));
  typedef T Native __attribute__((vector_size(vector_bytes)));
  typedef T Unaligned __attribute__((vector_size(vector_bytes), aligned(alignof(T)), may_alias));
  /// Integers as wide as T: bit patterns, and what a comparison gives (0 or -1 in each element).
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef Integer Int __attribute__((vector_size(vector_bytes)));

  Native v;

  DFORMER_ALWAYS_INLINE static Vec load(const T* p) { return {*reinterpret_cast<const Unaligned*>(p)}; }
  DFORMER_ALWAYS_INLINE void store(T* p) const { *reinterpret_cast<Unaligned*>(p) = v; }
  DFORMER_ALWAYS_INLINE static Vec broadcast(T x) { return {x - Native{}}; }
  DFORMER_ALWAYS_INLINE static Vec zero() { return {Native{}}; }
  DFORMER_ALWAYS_INLINE static Vec from_bits(Int bits) { return {reinterpret_cast<Native>(bits)}; }
  DFORMER_ALWAYS_INLINE Int bits() const { return reinterpret_cast<Int>(v); }

  /// The first `count` elements, the rest zero; nothing beyond them is read.
  DFORMER_ALWAYS_INLINE static Vec load_part(const T* p, int count) {
    alignas(vector_bytes) T part[size] = {};
    for (int i = 0; i < count; ++i) part[i] = p[i];
    return load(part);
  }
  DFORMER_ALWAYS_INLINE void store_part(T* p, int count) const {
    alignas(vector_bytes) T part[size];
    store(part);
    for (int i = 0; i < count; ++i) p[i] = part[i];
  }

  DFORMER_ALWAYS_INLINE friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  DFORMER_ALWAYS_INLINE friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  DFORMER_ALWAYS_INLINE friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
  DFORMER_ALWAYS_INLINE friend Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
};

/// a * b + c, in one rounding where the instruction set has it.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
  return {a.v * b.v + c.v};
}

/// x, of which the compiler does not know that it is a constant. From the comparison with a constant GCC 12
/// makes two instructions where there is one.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> opaque(Vec<T> x) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  asm("" : "+v"(x.v));
#endif
  return x;
}
/// b where a or b is NaN.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
  a = opaque(a);
  return {a.v > b.v ? a.v : b.v};
}
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
  a = opaque(a);
  return {a.v < b.v ? a.v : b.v};
}

template <class T, std::size_t Step, std::size_t... I>
DFORMER_ALWAYS_INLINE Vec<T> rotated(Vec<T> x, std::index_sequence<I...>) {
  return {__builtin_shufflevector(x.v, x.v, ((I + Step) % sizeof...(I))...)};
}

/// The sum of all elements, added pairwise.
template <class T, std::size_t Step = Vec<T>::size / 2>
DFORMER_ALWAYS_INLINE T sum(Vec<T> x) {
  const Vec<T> folded = x + rotated<T, Step>(x, std::make_index_sequence<Vec<T>::size>());
  if constexpr (Step > 1) {
    return sum<T, Step / 2>(folded);
  } else {
    return folded.v[0];
  }
}

/// The largest element.
template <class T, std::size_t Step = Vec<T>::size / 2>
DFORMER_ALWAYS_INLINE T largest(Vec<T> x) {
  const Vec<T> folded = max(x, rotated<T, Step>(x, std::make_index_sequence<Vec<T>::size>()));
  if constexpr (Step > 1) {
    return largest<T, Step / 2>(folded);
  } else {
    return folded.v[0];
  }
}
