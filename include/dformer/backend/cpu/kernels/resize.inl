// Included once for each instruction set by kernels.hpp.

/// a + weight * (b - a): the one form in which everything here interpolates, so that all of it rounds alike.
template <class T>
DFORMER_ALWAYS_INLINE Vec<T> interpolate(Vec<T> a, Vec<T> b, Vec<T> weight) {
  return fma(weight, b - a, a);
}
template <class T>
DFORMER_ALWAYS_INLINE T interpolate(T a, T b, T weight) {
  return weight * (b - a) + a;
}

template <class T>
void resize_bilinear(const ResizeArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  const std::int64_t channels = args.channels;
  for (std::int64_t task = begin; task < end; ++task) {
    const ResizeTap row = args.rows[task % args.y_height];
    const T* image = args.x + task / args.y_height * args.height * args.width * channels;
    const T* upper = image + row.first * args.width * channels;
    const T* lower = image + row.second * args.width * channels;
    const T down = static_cast<T>(row.weight);
    const V downs = V::broadcast(down);
    T* y = args.y + task * args.y_width * channels;
    for (std::int64_t column = 0; column < args.y_width; ++column, y += channels) {
      const ResizeTap tap = args.columns[column];
      const std::int64_t left = tap.first * channels;
      const std::int64_t right = tap.second * channels;
      const T across = static_cast<T>(tap.weight);
      if (channels < V::size) {
        for (std::int64_t c = 0; c < channels; ++c) {
          y[c] = interpolate(interpolate(upper[left + c], lower[left + c], down),
                             interpolate(upper[right + c], lower[right + c], down), across);
        }
        continue;
      }
      for (std::int64_t c = 0; c < channels; c += V::size) {
        const std::int64_t at = std::min<std::int64_t>(c, channels - V::size);  // the last one may overlap
        const V l = interpolate(V::load(upper + left + at), V::load(lower + left + at), downs);
        const V r = interpolate(V::load(upper + right + at), V::load(lower + right + at), downs);
        interpolate(l, r, V::broadcast(across)).store(y + at);
      }
    }
  }
}
