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

template <class T, Activation Function>
DFORMER_ALWAYS_INLINE void activate_range(const T* x, T* y, std::int64_t count) {
  using V = Vec<T>;
  std::int64_t i = 0;
  for (; i + V::size <= count; i += V::size) activate(V::load(x + i), Function).store(y + i);
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    activate(V::load_part(x + i, rest), Function).store_part(y + i, rest);
  }
}

template <class T>
void activate_all(const PointwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = begin * PointwiseArgs<T>::block;
  const std::int64_t count = std::min(end * PointwiseArgs<T>::block, args.count) - first;
  const T* x = args.a + first;
  T* y = args.y + first;
  switch (args.activation) {
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
