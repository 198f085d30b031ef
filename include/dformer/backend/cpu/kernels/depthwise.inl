// Included once for each instruction set by kernels.hpp.

/// Sums of `Pixels` neighbouring outputs of a Kernel x Kernel window, for one vector of channels. Every input
/// is loaded once and used in all outputs that it reaches. `lines` are the rows of the window that lie in the
/// image, from `x` (at image column 0) and `weight` on. Edge: columns outside [0, width) count as zero.
template <class T, int Kernel, int Pixels, bool Edge>
DFORMER_ALWAYS_INLINE void depthwise_tile(const T* x, const T* weight, int lines, std::int64_t left,
                                          std::int64_t width, std::int64_t channels, Vec<T> start, T* sums) {
  using V = Vec<T>;
  V total[Pixels];
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) total[p] = start;
  for (int line = 0; line < lines; ++line, x += width * channels, weight += Kernel * channels) {
    V w[Kernel];
    DFORMER_UNROLL
    for (int k = 0; k < Kernel; ++k) w[k] = V::load(weight + k * channels);
    DFORMER_UNROLL
    for (int i = 0; i < Pixels + Kernel - 1; ++i) {
      const std::int64_t column = left + i;
      const bool inside = !Edge || (column >= 0 && column < width);
      const V value = inside ? V::load(x + column * channels) : V::zero();
      DFORMER_UNROLL
      for (int k = 0; k < Kernel; ++k) {
        if (i - k >= 0 && i - k < Pixels) total[i - k] = fma(value, w[k], total[i - k]);
      }
    }
  }
  DFORMER_UNROLL
  for (int p = 0; p < Pixels; ++p) total[p].store(sums + p * V::size);
}

/// y = f(sums) for `count` pixels `stride` apart, with the residual added before, if there is one.
template <class T, Activation Function>
DFORMER_ALWAYS_INLINE void finish_pixels(const T* sums, std::int64_t count, std::int64_t stride,
                                         const T* residual, T* y) {
  using V = Vec<T>;
  if (residual == nullptr) {
    for (std::int64_t p = 0; p < count; ++p)
      activate(V::load(sums + p * V::size), Function).store(y + p * stride);
    return;
  }
  for (std::int64_t p = 0; p < count; ++p) {
    activate(V::load(residual + p * stride) + V::load(sums + p * V::size), Function).store(y + p * stride);
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
    for (std::int64_t p = 0; p < count; ++p) {
      activate(V::load(sums + p * V::size), epilogue.activation).store(sums + p * V::size);
    }
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

/// Fetches `bytes` from `p` on into the second cache.
DFORMER_ALWAYS_INLINE void prefetch(const void* p, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + i, 0, 2);
}

/// Stride 1 and as much padding as keeps the extents; at least a vector of channels. Channels run outermost,
/// so that their weights stay in the first cache; meanwhile the line of the image that the next row is the
/// first to need is fetched piece by piece, in the order of memory.
template <class T, int Kernel>
void depthwise_same(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  using V = Vec<T>;
  constexpr int pixels = vector_bytes == 64 ? 10 : 8;
  constexpr int reach = Kernel / 2;
  const std::int64_t channels = args.channels;
  const std::int64_t width = args.width;
  alignas(vector_bytes) T sums[pixels * V::size];
  for (std::int64_t task = begin; task < end; ++task) {
    const RowSegment part(args, task);
    const std::int64_t first_line = std::max<std::int64_t>(0, reach - part.row);
    const std::int64_t last_line = std::min<std::int64_t>(Kernel, args.height + reach - part.row);
    const T* image = args.x + part.image * args.height * width * channels;
    const T* x = image + (part.row - reach + first_line) * width * channels;
    const T* next = image + ((part.row + reach + 1) * width + part.start) * channels;
    if (part.row + reach + 1 >= args.height) next = x;
    for (std::int64_t block = 0; block < channels; block += V::size) {
      const std::int64_t c = std::min<std::int64_t>(block, channels - V::size);  // the last one may overlap
      const T* weight = args.weight + first_line * Kernel * channels + c;
      const bool add_shift = args.epilogue.shift != nullptr && args.epilogue.scale == nullptr;
      const V shift = add_shift ? V::load(args.epilogue.shift + c) : V::zero();
      for (std::int64_t column = part.start; column < part.stop; column += pixels) {
        const std::int64_t left = column - reach;
        const auto lines = static_cast<int>(last_line - first_line);
        prefetch(next, pixels * vector_bytes);
        next += pixels * V::size;
        if (left >= 0 && left + pixels + Kernel - 1 <= width) {
          depthwise_tile<T, Kernel, pixels, false>(x + c, weight, lines, left, width, channels, shift, sums);
        } else {
          depthwise_tile<T, Kernel, pixels, true>(x + c, weight, lines, left, width, channels, shift, sums);
        }
        const std::int64_t count = std::min<std::int64_t>(pixels, part.stop - column);
        const std::int64_t at = ((part.image * args.y_height + part.row) * width + column) * channels + c;
        finish_tile(args, sums, count, c, at);
      }
    }
  }
}

template <class T>
void depthwise_conv2d(const DepthwiseArgs<T>& args, std::int64_t begin, std::int64_t end) {
  const Window& window = args.window;
  const bool same = window.stride == 1 && window.dilation == 1 && window.padding == window.kernel / 2;
  if (same && args.channels >= Vec<T>::size) {
    if (window.kernel == 3) return depthwise_same<T, 3>(args, begin, end);
    if (window.kernel == 5) return depthwise_same<T, 5>(args, begin, end);
    if (window.kernel == 7) return depthwise_same<T, 7>(args, begin, end);
  }
  depthwise_general(args, begin, end);
}
