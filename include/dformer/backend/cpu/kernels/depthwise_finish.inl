// Included once for each instruction set by kernels.hpp.

/// y = f(sums) for N pixels `stride` apart, with the residual added before, if there is one.
template <class T, Activation Function, int N>
DFORMER_ALWAYS_INLINE void finish_some_pixels(const T* sums, std::int64_t stride, const T* residual, T* y) {
  using V = Vec<T>;
  V x[N];
  for (int p = 0; p < N; ++p) {
    x[p] = V::load(sums + p * V::size);
    if (residual != nullptr) x[p] = V::load(residual + p * stride) + x[p];
  }
  activate(x, Function);
  for (int p = 0; p < N; ++p) x[p].store(y + p * stride);
}
template <class T, Activation Function>
DFORMER_ALWAYS_INLINE void finish_pixels(const T* sums, std::int64_t count, std::int64_t stride,
                                         const T* residual, T* y) {
  for (std::int64_t p = 0; p < count;) {
    const T* const from = sums + p * Vec<T>::size;
    const T* const added = residual == nullptr ? nullptr : residual + p * stride;
    if (p + activated_at_once <= count) {
      finish_some_pixels<T, Function, activated_at_once>(from, stride, added, y + p * stride);
      p += activated_at_once;
    } else {
      finish_some_pixels<T, Function, 1>(from, stride, added, y + p * stride);
      ++p;
    }
  }
}

/// The epilogue of `count` pixels for the vector of channels at c, the first of them `at` elements behind the
/// first output. What it consists of is looked at once for all of them. The sums already have the shift,
/// unless there is a scale.
template <class T>
DFORMER_ALWAYS_INLINE void finish_tile(const DepthwiseArgs<T>& args, T* sums, std::int64_t count,
                                       std::int64_t c, std::int64_t at) {
  using V = Vec<T>;
  const EpilogueArgs<T>& epilogue = args.epilogue;
  const std::int64_t stride = args.channels;
  if (epilogue.scale != nullptr) {
    const V scale = V::load(epilogue.scale + c);
    const V shift = epilogue.shift != nullptr ? V::load(epilogue.shift + c) : V::zero();
    for (std::int64_t p = 0; p < count; ++p)
      fma(V::load(sums + p * V::size), scale, shift).store(sums + p * V::size);
  }
  if (epilogue.activation != Activation::none) {
    activate_range(sums, sums, count * V::size, epilogue.activation);
  }
  if (epilogue.multiply != nullptr) {
    for (std::int64_t p = 0; p < count; ++p) {
      (V::load(sums + p * V::size) * V::load(epilogue.multiply + at + p * stride)).store(sums + p * V::size);
    }
  }
  if (epilogue.layer_scale != nullptr) {
    const V scale = V::load(epilogue.layer_scale + c);
    for (std::int64_t p = 0; p < count; ++p) (V::load(sums + p * V::size) * scale).store(sums + p * V::size);
  }
  const T* residual = epilogue.residual != nullptr ? epilogue.residual + at : nullptr;
  T* y = args.y + at;
  switch (epilogue.final_activation) {
    case Activation::none:
      return finish_pixels<T, Activation::none>(sums, count, stride, residual, y);
    case Activation::relu:
      return finish_pixels<T, Activation::relu>(sums, count, stride, residual, y);
    case Activation::gelu:
      return finish_pixels<T, Activation::gelu>(sums, count, stride, residual, y);
    case Activation::sigmoid:
      return finish_pixels<T, Activation::sigmoid>(sums, count, stride, residual, y);
  }
}
