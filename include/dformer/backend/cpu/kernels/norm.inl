// Included once for each instruction set by kernels.hpp.

template <class T>
void scale_shift(const ScaleShiftArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t full = args.channels / V::size * V::size;
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = args.x + row * args.channels;
    T* y = args.y + row * args.channels;
    for (std::int64_t c = 0; c < full; c += V::size) {
      fma(V::load(x + c), V::load(args.scale + c), V::load(args.shift + c)).store(y + c);
    }
    for (std::int64_t c = full; c < args.channels; ++c) y[c] = x[c] * args.scale[c] + args.shift[c];
  }
}
