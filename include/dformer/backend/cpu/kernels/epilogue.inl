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

/// One vector of sums at channel `c`, `at` elements behind the first output; see Epilogue.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE Vec<T> apply_epilogue(const EpilogueArgs<T>& args, Vec<T> sums, std::int64_t c,
                                            std::int64_t at, int count) {
  Vec<T> y = fma(sums, load_operand_or<T, Part>(1, args.scale, c, count),
                 load_operand_or<T, Part>(0, args.shift, c, count));
  y = activate(y, args.activation);
  if (args.multiply != nullptr) y = y * load_operand<T, Part>(args.multiply + at, count);
  if (args.layer_scale != nullptr) y = y * load_operand<T, Part>(args.layer_scale + c, count);
  if (args.residual != nullptr) y = y + load_operand<T, Part>(args.residual + at, count);
  return activate(y, args.final_activation);
}
