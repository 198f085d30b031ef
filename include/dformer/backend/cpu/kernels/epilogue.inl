// Included once for each instruction set by kernels.hpp.

/// Part: only the first `count` elements exist.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE Vec<T> load_operand(const T* p, int count) {
  if constexpr (Part) return Vec<T>::load_part(p, count);
  static_cast<void>(count);
  return Vec<T>::load(p);
}

/// An operand, or what leaves the result as it is where there is none.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE Vec<T> load_operand_or(T neutral, const T* p, std::int64_t offset, int count) {
  return p == nullptr ? Vec<T>::broadcast(neutral) : load_operand<T, Part>(p + offset, count);
}

/// N vectors of sums at channel `c`, the first `at` elements behind the first output, the others `step`
/// behind each other, to what is stored of them; see Epilogue.
template <class T, bool Part, int N>
DFORMER_ALWAYS_INLINE void apply_epilogue(const EpilogueArgs<T>& args, Vec<T> (&y)[N], std::int64_t c,
                                          std::int64_t at, std::int64_t step, int count) {
  const Vec<T> scale = load_operand_or<T, Part>(1, args.scale, c, count);
  const Vec<T> shift = load_operand_or<T, Part>(0, args.shift, c, count);
  for (int i = 0; i < N; ++i) y[i] = fma(y[i], scale, shift);
  activate(y, args.activation);
  for (int i = 0; i < N; ++i) {
    const std::int64_t element = at + i * step;
    if (args.multiply != nullptr) y[i] = y[i] * load_operand<T, Part>(args.multiply + element, count);
    if (args.layer_scale != nullptr) y[i] = y[i] * load_operand<T, Part>(args.layer_scale + c, count);
    if (args.residual != nullptr) y[i] = y[i] + load_operand<T, Part>(args.residual + element, count);
  }
  activate(y, args.final_activation);
}
