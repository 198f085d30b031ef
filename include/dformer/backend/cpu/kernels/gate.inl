// Included once for each instruction set by kernels.hpp.

template <class T>
void gate(const GateArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t full = args.channels / V::size * V::size;
  const int rest = static_cast<int>(args.channels - full);
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = args.x + row * args.channels;
    T* y = args.y + row * args.channels;
    const std::int64_t image = row / args.rows_of_image * args.channels;
    const T* spatial = args.spatial + image;
    const T* channel = args.channel + image;
    V products = V::load_part(x + full, rest) * V::load_part(spatial + full, rest);
    for (std::int64_t c = 0; c < full; c += V::size) {
      products = fma(V::load(x + c), V::load(spatial + c), products);
    }
    const V map = sigmoid(V::broadcast(args.scale * sum(products)));
    for (std::int64_t c = 0; c < full; c += V::size) {
      (map * V::load(x + c) * V::load(channel + c)).store(y + c);
    }
    if (rest > 0) {
      (map * V::load_part(x + full, rest) * V::load_part(channel + full, rest)).store_part(y + full, rest);
    }
  }
}
