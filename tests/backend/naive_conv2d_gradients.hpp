#pragma once

#include <utility>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {

struct ConvolutionGradient {
  Array input, weight;
};

/// x [N, H, W, I], weight [O, I, k, k] or, depthwise, [C, 1, k, k], dy [N, H', W', O], summed in double.
inline ConvolutionGradient naive_conv2d_gradients(const Array& x, const Array& weight, const Array& dy,
                                                  const Window& window, bool depthwise) {
  const std::int64_t height = x.shape[1], width = x.shape[2], inputs = x.shape[3];
  const std::int64_t outputs = dy.shape[3];
  std::vector<double> dx(x.values.size()), dw(weight.values.size());
  for (std::int64_t pixel = 0; pixel < dy.shape.rows(); ++pixel) {
    const std::int64_t image = pixel / dy.shape[2] / dy.shape[1];
    for (std::int64_t ky = 0; ky < window.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < window.kernel; ++kx) {
        const std::int64_t v =
            pixel / dy.shape[2] % dy.shape[1] * window.stride - window.padding + ky * window.dilation;
        const std::int64_t u = pixel % dy.shape[2] * window.stride - window.padding + kx * window.dilation;
        if (v < 0 || v >= height || u < 0 || u >= width) continue;
        for (std::int64_t o = 0; o < outputs; ++o) {
          const double upstream =
              static_cast<double>(dy.values[static_cast<std::size_t>(pixel * outputs + o)]);
          for (std::int64_t i = depthwise ? o : 0; i < (depthwise ? o + 1 : inputs); ++i) {
            const auto at = static_cast<std::size_t>(((image * height + v) * width + u) * inputs + i);
            const std::int64_t filter = depthwise ? o : o * inputs + i;
            const auto tap = static_cast<std::size_t>((filter * window.kernel + ky) * window.kernel + kx);
            dx[at] += upstream * static_cast<double>(weight.values[tap]);
            dw[tap] += upstream * static_cast<double>(x.values[at]);
          }
        }
      }
    }
  }
  return {to_array(x.shape, dx), to_array(weight.shape, dw)};
}

template <class B>
ConvolutionGradient conv2d_gradients(const typename B::Device& device, const Array& x, const Array& weight,
                                     const Array& dy, const Window& window, bool depthwise) {
  using G = Gradients<B>;
  const WeightLayout layout = depthwise ? WeightLayout::depthwise : WeightLayout::dense;
  const auto input = B::from_host(device, x.shape, x.values);
  const auto upstream = B::from_host(device, dy.shape, dy.values);
  const auto filter = B::weight_from_host(device, layout, weight.shape, weight.values);
  const auto download = [](const typename B::Tensor& dx) {
    Array array{dx.shape(), std::vector<float>(static_cast<std::size_t>(dx.shape().numel()))};
    B::to_host(dx, array.values);
    return array;
  };
  if (depthwise) {
    return {download(G::depthwise_conv2d_input(upstream, filter, window, x.shape)),
            weight_array<B>(G::depthwise_conv2d_weight(input, upstream, window, weight.shape), layout)};
  }
  return {download(G::conv2d_input(upstream, filter, window, x.shape)),
          weight_array<B>(G::conv2d_weight(input, upstream, window, weight.shape), layout)};
}

inline void expect_same(const ConvolutionGradient& actual, const ConvolutionGradient& expected,
                        const std::string& what) {
  expect_close(actual.input, expected.input, op_tolerance(expected.input), what + ", input");
  expect_close(actual.weight, expected.weight, op_tolerance(expected.weight), what + ", weight");
}

struct ConvolutionCase {
  Shape x;
  std::int64_t outputs;  ///< 0: depthwise
  Window window;

  bool depthwise() const { return outputs == 0; }
  Shape weight() const {
    return {depthwise() ? x[3] : outputs, depthwise() ? 1 : x[3], window.kernel, window.kernel};
  }
  Shape y() const { return {x[0], window.output_extent(x[1]), window.output_extent(x[2]), weight()[0]}; }
  std::string name() const {
    return to_string(x) + " by " + to_string(weight()) + " stride " + std::to_string(window.stride) +
           " padding " + std::to_string(window.padding) + " dilation " + std::to_string(window.dilation);
  }
};

inline void expect_like_naive(const ConvolutionCase& test) {
  const Array x = random_array(test.x, 1);
  const Array weight = random_array(test.weight(), 2);
  const Array dy = random_array(test.y(), 3);
  const auto expected = naive_conv2d_gradients(x, weight, dy, test.window, test.depthwise());
  for (const auto& device : test_devices()) {
    expect_same(conv2d_gradients<TestBackend>(device, x, weight, dy, test.window, test.depthwise()), expected,
                test.name());
  }
}

#if !defined(DFORMER_TEST_CUDA)
inline void expect_double(const ConvolutionCase& test) {
  const Array x = random_array(test.x, 1);
  const Array weight = random_array(test.weight(), 2);
  const Array dy = random_array(test.y(), 3);
  const auto expected = naive_conv2d_gradients(x, weight, dy, test.window, test.depthwise());
  for (const auto& device : test_devices()) {
    const auto actual = conv2d_gradients<Cpu<double>>(device, x, weight, dy, test.window, test.depthwise());
    expect_close(actual.input, expected.input, 1e-7 * expected.input.max_abs(), "input");
    expect_close(actual.weight, expected.weight, 1e-7 * expected.weight.max_abs(), "weight");
  }
}
#endif

inline void expect_same_for_all_threads(const ConvolutionCase& test) {
  const Array x = random_array(test.x, 1);
  const Array weight = random_array(test.weight(), 2);
  const Array dy = random_array(test.y(), 3);
  expect_same_on_all_devices([&](const auto& device) {
    auto gradients = conv2d_gradients<TestBackend>(device, x, weight, dy, test.window, test.depthwise());
    return std::pair(gradients.input.values, gradients.weight.values);
  });
}

inline void expect_like_reference(const char* name, bool depthwise) {
  const Golden golden(std::string("ops/") + name);
  const auto attributes = golden.json("attrs");
  const Array weight = golden.array("param.weight");
  const Window window{static_cast<int>(weight.shape[2]), attributes.at("stride"), attributes.at("padding"),
                      attributes.at("dilation")};
  const ConvolutionGradient expected{golden.nhwc("grad.input.x"), golden.array("grad.param.weight")};
  for (const auto& device : test_devices()) {
    expect_same(conv2d_gradients<TestBackend>(device, golden.nhwc("input.x"), weight,
                                              golden.nhwc("grad_output"), window, depthwise),
                expected, name);
  }
}

}  // namespace dformer::testing
