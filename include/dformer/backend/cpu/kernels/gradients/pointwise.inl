// Included once for each instruction set by gradients/kernels.hpp.

/// x P(X < x) + its derivative's other half, for a standard normal X: d/dx of gelu.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> gelu_derivative(Vec<T> x) {
  using V = Vec<T>;
  const V half = V::broadcast(T(0.5));
  const V below = fma(half, erf(x * V::broadcast(T(0.70710678118654752440))), half);
  // Far out the density is 0; cut off there, no infinity meets it.
  const V near = min(V::broadcast(T(100)), max(V::broadcast(T(-100)), x));
  const V density = exp(near * near * V::broadcast(T(-0.5))) * V::broadcast(T(0.39894228040143267794));
  return fma(near, density, below);
}

/// `saved` is the input of gelu and the result of relu and sigmoid.
template <class T, Activation Function>
DFORMER_ALWAYS_INLINE Vec<T> activation_gradient(Vec<T> saved, Vec<T> dy) {
  using V = Vec<T>;
  if constexpr (Function == Activation::relu) {
    return {saved.v <= V::zero().v ? V::zero().v : dy.v};
  } else if constexpr (Function == Activation::gelu) {
    return dy * gelu_derivative(saved);
  } else if constexpr (Function == Activation::sigmoid) {
    return dy * saved * (V::broadcast(T(1)) - saved);
  } else {
    return dy;
  }
}

template <class T, Activation Function>
DFORMER_ALWAYS_INLINE void activation_gradient_range(const T* saved, const T* dy, T* dx, std::int64_t count) {
  using V = Vec<T>;
  std::int64_t i = 0;
  for (; i + V::size <= count; i += V::size) {
    activation_gradient<T, Function>(V::load(saved + i), V::load(dy + i)).store(dx + i);
  }
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    activation_gradient<T, Function>(V::load_part(saved + i, rest), V::load_part(dy + i, rest))
        .store_part(dx + i, rest);
  }
}

/// a is what was saved, b is dy.
template <class T>
void activation_gradient_all(const PointwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = begin * PointwiseArgs<T>::block;
  const std::int64_t count = std::min(end * PointwiseArgs<T>::block, args.count) - first;
  const T* saved = args.a + first;
  const T* dy = args.b + first;
  T* dx = args.y + first;
  switch (args.activation) {
    case Activation::relu:
      return activation_gradient_range<T, Activation::relu>(saved, dy, dx, count);
    case Activation::gelu:
      return activation_gradient_range<T, Activation::gelu>(saved, dy, dx, count);
    case Activation::sigmoid:
      return activation_gradient_range<T, Activation::sigmoid>(saved, dy, dx, count);
    case Activation::none:
      return activation_gradient_range<T, Activation::none>(saved, dy, dx, count);
  }
}

template <class T>
void scale_channels(const ScaleChannelsArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  for (std::int64_t task = begin; task < end; ++task) {
    const T* x = args.x + task * args.rows.width;
    T* y = args.y + task * args.rows.width;
    const std::int64_t count = args.rows.elements(task);
    std::int64_t c = 0;
    for (; c + V::size <= count; c += V::size) (V::load(x + c) * V::load(args.scale + c)).store(y + c);
    for (; c < count; ++c) y[c] = x[c] * args.scale[c];
  }
}

template <class T>
void scale_samples(const ScaleSamplesArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  for (std::int64_t task = begin; task < end; ++task) {
    const std::int64_t sample = task / args.blocks();
    const std::int64_t first = task % args.blocks() * ScaleSamplesArgs<T>::block;
    const std::int64_t count = std::min(ScaleSamplesArgs<T>::block, args.length - first);
    const T* x = args.x + sample * args.length + first;
    T* y = args.y + sample * args.length + first;
    const T scale = args.scale[sample];
    const V scales = V::broadcast(scale);
    std::int64_t i = 0;
    for (; i + V::size <= count; i += V::size) (V::load(x + i) * scales).store(y + i);
    for (; i < count; ++i) y[i] = x[i] * scale;
  }
}

template <class T>
void softmax_gradient(const SoftmaxGradientArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t full = args.channels / V::size * V::size;
  const int rest = static_cast<int>(args.channels - full);
  for (std::int64_t row = begin; row < end; ++row) {
    const T* y = args.y + row * args.channels;
    const T* dy = args.dy + row * args.channels;
    T* dx = args.dx + row * args.channels;
    const V tail_y = V::load_part(y + full, rest);
    const V tail_dy = V::load_part(dy + full, rest);
    V products = tail_y * tail_dy;
    for (std::int64_t c = 0; c < full; c += V::size) {
      products = fma(V::load(y + c), V::load(dy + c), products);
    }
    const V mean = V::broadcast(sum(products));
    for (std::int64_t c = 0; c < full; c += V::size) {
      (V::load(y + c) * (V::load(dy + c) - mean)).store(dx + c);
    }
    if (rest > 0) (tail_y * (tail_dy - mean)).store_part(dx + full, rest);
  }
}
