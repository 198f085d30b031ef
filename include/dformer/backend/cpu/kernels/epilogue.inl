// Included once for each instruction set by kernels.hpp.

/// One vector of sums at channel `c`, `at` elements behind the first output; see Epilogue. Part: only the
/// first `count` elements exist.
template <class T, bool Part>
DFORMER_ALWAYS_INLINE Vec<T> load_operand(const T* p, int count) {
  if constexpr (Part) return Vec<T>::load_part(p, count);
  static_cast<void>(count);
  return Vec<T>::load(p);
}

template <class T, bool Part>
DFORMER_ALWAYS_INLINE Vec<T> apply_epilogue(const EpilogueArgs<T>& args, Vec<T> y, std::int64_t c,
                                            std::int64_t at, int count) {
  if (args.scale != nullptr) y = y * load_operand<T, Part>(args.scale + c, count);
  if (args.shift != nullptr) y = y + load_operand<T, Part>(args.shift + c, count);
  y = activate(y, args.activation);
  if (args.multiply != nullptr) y = y * load_operand<T, Part>(args.multiply + at, count);
  if (args.layer_scale != nullptr) y = y * load_operand<T, Part>(args.layer_scale + c, count);
  if (args.residual != nullptr) y = y + load_operand<T, Part>(args.residual + at, count);
  return activate(y, args.final_activation);
}
