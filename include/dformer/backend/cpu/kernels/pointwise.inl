// Included once for each instruction set by kernels.hpp.

struct Add {
  template <class T>
  DFORMER_ALWAYS_INLINE static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a + b;
  }
};
struct Multiply {
  template <class T>
  DFORMER_ALWAYS_INLINE static Vec<T> apply(Vec<T> a, Vec<T> b) {
    return a * b;
  }
};

template <class T, class Function>
void binary(const PointwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t last = std::min(end * PointwiseArgs<T>::block, args.count);
  std::int64_t i = begin * PointwiseArgs<T>::block;
  for (; i + V::size <= last; i += V::size) {
    Function::apply(V::load(args.a + i), V::load(args.b + i)).store(args.y + i);
  }
  if (i < last) {
    const int rest = static_cast<int>(last - i);
    Function::apply(V::load_part(args.a + i, rest), V::load_part(args.b + i, rest))
        .store_part(args.y + i, rest);
  }
}

template <class T, Activation Function, int N>
DFORMER_ALWAYS_INLINE void activate_vectors(const T* x, T* y) {
  using V = Vec<T>;
  V part[N];
  for (int i = 0; i < N; ++i) part[i] = V::load(x + i * V::size);
  activate(part, Function);
  for (int i = 0; i < N; ++i) part[i].store(y + i * V::size);
}
template <class T, Activation Function>
DFORMER_ALWAYS_INLINE void activate_range(const T* x, T* y, std::int64_t count) {
  using V = Vec<T>;
  constexpr int step = activated_at_once * V::size;
  std::int64_t i = 0;
  for (; i + step <= count; i += step) activate_vectors<T, Function, activated_at_once>(x + i, y + i);
  for (; i + V::size <= count; i += V::size) activate_vectors<T, Function, 1>(x + i, y + i);
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    V part[] = {V::load_part(x + i, rest)};
    activate(part, Function);
    part[0].store_part(y + i, rest);
  }
}

/// y = activation(x), of `count` elements, in place or not.
template <class T>
void activate_range(const T* x, T* y, std::int64_t count, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return activate_range<T, Activation::relu>(x, y, count);
    case Activation::gelu:
      return activate_range<T, Activation::gelu>(x, y, count);
    case Activation::sigmoid:
      return activate_range<T, Activation::sigmoid>(x, y, count);
    case Activation::none:
      return activate_range<T, Activation::none>(x, y, count);
  }
}

template <class T>
void activate_all(const PointwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = begin * PointwiseArgs<T>::block;
  const std::int64_t count = std::min(end * PointwiseArgs<T>::block, args.count) - first;
  activate_range(args.a + first, args.y + first, count, args.activation);
}
