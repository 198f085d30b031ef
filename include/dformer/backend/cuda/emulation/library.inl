// The emulation's answers to library.hpp: plain loops, summed in double. Compiled once, into
// dformer::cuda_emulation.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <dformer/backend/cuda/emulation/stream_queue.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/core/dtype.hpp>

namespace dformer::cuda::library {

struct Context {
  Stream stream;
};

Context* create_context(const ContextOptions& options) {
  return new Context{options.stream};
}
void destroy_context(Context* context) noexcept {
  delete context;
}

namespace {

/// An array of any of the three types, read and written as float.
struct Elements {
  DType type;
  void* memory;

  float operator[](std::int64_t i) const {
    if (type == DType::float32) return static_cast<const float*>(memory)[i];
    const std::uint16_t bits = static_cast<const std::uint16_t*>(memory)[i];
    return type == DType::float16 ? half_to_float(bits) : bfloat16_to_float(bits);
  }
  void set(std::int64_t i, double value) const {
    const auto x = static_cast<float>(value);
    if (type == DType::float32) {
      static_cast<float*>(memory)[i] = x;
    } else {
      static_cast<std::uint16_t*>(memory)[i] =
          type == DType::float16 ? float_to_half(x) : float_to_bfloat16(x);
    }
  }
};
Elements elements(DType type, const void* memory) {
  return {type, const_cast<void*>(memory)};
}

/// Calls body(image, v, u, line, tap, row, column) for every output position (v, u) and every tap of the
/// window that lies at (row, column) within the image.
template <class Body>
void for_each_tap(const Convolution& c, const Body& body) {
  for (std::int64_t n = 0; n < c.images; ++n)
    for (std::int64_t v = 0; v < c.y_height; ++v)
      for (std::int64_t u = 0; u < c.y_width; ++u)
        for (int line = 0; line < c.window.kernel; ++line)
          for (int tap = 0; tap < c.window.kernel; ++tap) {
            const std::int64_t row = v * c.window.stride - c.window.padding + line * c.window.dilation;
            const std::int64_t column = u * c.window.stride - c.window.padding + tap * c.window.dilation;
            if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
            body((n * c.y_height + v) * c.y_width + u, line * c.window.kernel + tap,
                 (n * c.height + row) * c.width + column);
          }
}

}  // namespace

void multiply(Context& context, const Product& p) {
  emulation::enqueue(context.stream, [=] {
    const Elements a = elements(p.type, p.a), b = elements(p.type, p.b), y = elements(p.result_type, p.y),
                   bias = elements(p.result_type, p.bias);
    std::vector<double> right(static_cast<std::size_t>(p.depth * p.columns));  // op(b)
    for (std::int64_t d = 0; d < p.depth; ++d) {
      for (std::int64_t c = 0; c < p.columns; ++c) {
        right[static_cast<std::size_t>(d * p.columns + c)] =
            static_cast<double>(b[p.transpose_b ? c * p.leading_b + d : d * p.leading_b + c]);
      }
    }
    std::vector<double> sums(static_cast<std::size_t>(p.columns));
    for (std::int64_t r = 0; r < p.rows; ++r) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::int64_t d = 0; d < p.depth; ++d) {
        const auto factor = static_cast<double>(a[p.transpose_a ? d * p.leading_a + r : r * p.leading_a + d]);
        const double* const line = right.data() + d * p.columns;
        for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += factor * line[c];
      }
      for (std::int64_t c = 0; c < p.columns; ++c) {
        const std::int64_t at = r * p.leading_y + c;
        const double before = p.beta == 0.0f ? 0.0 : static_cast<double>(p.beta) * static_cast<double>(y[at]);
        const double shift = p.bias == nullptr ? 0.0 : static_cast<double>(bias[c]);
        y.set(at, sums[static_cast<std::size_t>(c)] + before + shift);
      }
    }
  });
}

void convolve(Context& context, const Convolution& c, const void* x_memory, const void* weight_memory,
              void* y_memory) {
  emulation::enqueue(context.stream, [=] {
    const Elements x = elements(c.type, x_memory), weight = elements(c.type, weight_memory),
                   y = elements(c.type, y_memory);
    const std::int64_t taps = c.window.kernel * c.window.kernel;
    std::vector<double> sums(static_cast<std::size_t>(c.images * c.y_height * c.y_width * c.outputs));
    for_each_tap(c, [&](std::int64_t output, int tap, std::int64_t input) {
      for (std::int64_t o = 0; o < c.outputs; ++o)
        for (std::int64_t i = 0; i < c.inputs; ++i)
          sums[static_cast<std::size_t>(output * c.outputs + o)] +=
              static_cast<double>(x[input * c.inputs + i]) *
              static_cast<double>(weight[(o * taps + tap) * c.inputs + i]);
    });
    for (std::size_t i = 0; i < sums.size(); ++i) y.set(static_cast<std::int64_t>(i), sums[i]);
  });
}

void convolve_input(Context& context, const Convolution& c, const void* dy_memory, const void* weight_memory,
                    void* dx_memory) {
  emulation::enqueue(context.stream, [=] {
    const Elements dy = elements(c.type, dy_memory), weight = elements(c.type, weight_memory),
                   dx = elements(c.type, dx_memory);
    const std::int64_t taps = c.window.kernel * c.window.kernel;
    std::vector<double> sums(static_cast<std::size_t>(c.images * c.height * c.width * c.inputs));
    for_each_tap(c, [&](std::int64_t output, int tap, std::int64_t input) {
      for (std::int64_t o = 0; o < c.outputs; ++o)
        for (std::int64_t i = 0; i < c.inputs; ++i)
          sums[static_cast<std::size_t>(input * c.inputs + i)] +=
              static_cast<double>(dy[output * c.outputs + o]) *
              static_cast<double>(weight[(o * taps + tap) * c.inputs + i]);
    });
    for (std::size_t i = 0; i < sums.size(); ++i) dx.set(static_cast<std::int64_t>(i), sums[i]);
  });
}

void convolve_weight(Context& context, const Convolution& c, const void* x_memory, const void* dy_memory,
                     float* dw) {
  emulation::enqueue(context.stream, [=] {
    const Elements x = elements(c.type, x_memory), dy = elements(c.type, dy_memory);
    const std::int64_t taps = c.window.kernel * c.window.kernel;
    std::vector<double> sums(static_cast<std::size_t>(c.outputs * taps * c.inputs));
    for_each_tap(c, [&](std::int64_t output, int tap, std::int64_t input) {
      for (std::int64_t o = 0; o < c.outputs; ++o)
        for (std::int64_t i = 0; i < c.inputs; ++i)
          sums[static_cast<std::size_t>((o * taps + tap) * c.inputs + i)] +=
              static_cast<double>(dy[output * c.outputs + o]) * static_cast<double>(x[input * c.inputs + i]);
    });
    std::transform(sums.begin(), sums.end(), dw, [](double sum) { return static_cast<float>(sum); });
  });
}

}  // namespace dformer::cuda::library
