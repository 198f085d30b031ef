#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array depthwise(const TestBackend::Device& device, const Array& x, const Array& weight, const Window& window,
                const NaiveEpilogue& epilogue = {}) {
  return download(TestBackend::depthwise_conv2d(upload(device, x),
                                                upload_weight(device, WeightLayout::depthwise, weight),
                                                window, epilogue.on<TestBackend>(device)));
}

/// x [N, H, W, C] by weight [C, 1, k, k], summed in double.
Array naive_depthwise(const Array& x, const Array& weight, const Window& window,
                      const NaiveEpilogue& epilogue = {}) {
  const std::int64_t height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  Array y{{x.shape[0], window.output_extent(height), window.output_extent(width), channels}, {}};
  for (std::int64_t i = 0; i < y.shape.numel(); ++i) {
    const std::int64_t c = i % channels;
    const std::int64_t pixel = i / channels;
    const std::int64_t top = pixel / y.shape[2] % y.shape[1] * window.stride - window.padding;
    const std::int64_t left = pixel % y.shape[2] * window.stride - window.padding;
    const std::int64_t image = pixel / (y.shape[1] * y.shape[2]);
    double sum = 0;
    for (int ky = 0; ky < window.kernel; ++ky) {
      for (int kx = 0; kx < window.kernel; ++kx) {
        const std::int64_t row = top + ky * window.dilation, column = left + kx * window.dilation;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const auto from = static_cast<std::size_t>(((image * height + row) * width + column) * channels + c);
        const auto tap = static_cast<std::size_t>((c * window.kernel + ky) * window.kernel + kx);
        sum += static_cast<double>(x.values[from]) * static_cast<double>(weight.values[tap]);
      }
    }
    y.values.push_back(
        static_cast<float>(epilogue(sum, static_cast<std::size_t>(i), static_cast<std::size_t>(channels))));
  }
  return y;
}

void expect_like_naive(const Shape& x_shape, const Window& window) {
  const Array x = random_array(x_shape, 1);
  const Array weight = random_array({x_shape[3], 1, window.kernel, window.kernel}, 2);
  const Array expected = naive_depthwise(x, weight, window);
  for (const auto& device : test_devices()) {
    expect_close(depthwise(device, x, weight, window), expected, op_tolerance(expected),
                 to_string(x_shape) + " kernel " + std::to_string(window.kernel));
  }
}

TEST(DepthwiseConv2d, MatchesReference) {
  for (const char* name : {"dwconv_3x3", "dwconv_5x5", "dwconv_7x7", "dwconv_7x7_small"}) {
    const Golden golden(std::string("ops/") + name);
    const auto attrs = golden.json("attrs");
    const Array weight = golden.array("param.weight");
    const Window window{static_cast<int>(weight.shape[2]), attrs["stride"], attrs["padding"],
                        attrs["dilation"]};
    NaiveEpilogue bias;
    bias.shift = golden.array("param.bias");
    const Array expected = golden.nhwc("output");
    for (const auto& device : test_devices()) {
      expect_close(depthwise(device, golden.nhwc("input.x"), weight, window, bias), expected,
                   op_tolerance(expected), name);
    }
  }
}

TEST(DepthwiseConv2d, CountsThePixelsOfTheWindow) {
  const Array x{{1, 4, 5, 16}, std::vector<float>(320, 1.0f)};
  const Array weight{{16, 1, 3, 3}, std::vector<float>(144, 1.0f)};
  for (const auto& device : test_devices()) {
    const Array y = depthwise(device, x, weight, {.kernel = 3, .padding = 1});
    const std::vector<float> expected{4, 6, 6, 6, 4, 6, 9, 9, 9, 6, 6, 9, 9, 9, 6, 4, 6, 6, 6, 4};
    for (std::size_t i = 0; i < y.values.size(); ++i) EXPECT_EQ(y.values[i], expected[i / 16]) << i;
  }
}

TEST(DepthwiseConv2d, EveryWidth) {
  for (const int kernel : {3, 5, 7}) {
    for (std::int64_t width = 1; width <= 34; ++width) {
      expect_like_naive({1, 3, width, 16}, {.kernel = kernel, .padding = kernel / 2});
    }
  }
}

TEST(DepthwiseConv2d, EveryHeightAndSeveralImages) {
  for (const int kernel : {3, 5, 7}) {
    for (std::int64_t height = 1; height <= 9; ++height) {
      expect_like_naive({2, height, 11, 17}, {.kernel = kernel, .padding = kernel / 2});
    }
  }
}

TEST(DepthwiseConv2d, EveryCountOfChannels) {
  for (const int kernel : {3, 7}) {
    for (std::int64_t channels = 1; channels <= 40; ++channels) {
      expect_like_naive({1, 4, 13, channels}, {.kernel = kernel, .padding = kernel / 2});
    }
  }
}

TEST(DepthwiseConv2d, RowsThatAreDoneInSegments) {
  expect_like_naive({2, 3, 135, 1536}, {.kernel = 3, .padding = 1});
  expect_like_naive({1, 2, 175, 768}, {.kernel = 3, .padding = 1});
  expect_like_naive({1, 2, 85, 640}, {.kernel = 7, .padding = 3});
  expect_like_naive({2, 5, 95, 2048}, {.kernel = 3, .stride = 2});
}

// So large that a GPU's threads make more pixels each. On one device: the rest has shown that all do the
// same.
TEST(DepthwiseConv2d, LargeImages) {
  const auto devices = test_devices();
  for (const int kernel : {3, 5, 7}) {
    const Window window{.kernel = kernel, .padding = kernel / 2};
    const Array x = random_array({1, 41, 53, 1024}, 1);
    const Array weight = random_array({1024, 1, kernel, kernel}, 2);
    const Array expected = naive_depthwise(x, weight, window);
    expect_close(depthwise(devices.back(), x, weight, window), expected, op_tolerance(expected),
                 "kernel " + std::to_string(kernel));
  }
}

TEST(DepthwiseConv2d, AnyWindow) {
  for (const std::int64_t channels : {5, 16, 35}) {
    for (const Window& window :
         {Window{.kernel = 1}, Window{.kernel = 2, .stride = 2},
          Window{.kernel = 3, .stride = 2, .padding = 1}, Window{.kernel = 3},
          Window{.kernel = 3, .padding = 2, .dilation = 2}, Window{.kernel = 4, .padding = 3},
          Window{.kernel = 9, .padding = 4}, Window{.kernel = 7, .stride = 3, .padding = 1}}) {
      expect_like_naive({2, 9, 12, channels}, window);
    }
  }
}

TEST(DepthwiseConv2d, EveryPartOfTheEpilogue) {
  for (const std::int64_t channels : {16, 7, 37}) {
    const Shape shape{2, 3, 11, channels};
    const Array x = random_array(shape, 11);
    const Array weight = random_array({channels, 1, 3, 3}, 12);
    const NaiveEpilogue all = NaiveEpilogue::full(shape, Activation::sigmoid, Activation::gelu);
    const std::vector<NaiveEpilogue> epilogues{
        {.scale = all.scale},
        {.shift = all.shift},
        {.multiply = all.multiply},
        {.layer_scale = all.layer_scale},
        {.residual = all.residual},
        {.shift = all.shift, .residual = all.residual, .final_activation = Activation::gelu},
        {.activation = Activation::relu},
        all};
    for (const NaiveEpilogue& epilogue : epilogues) {
      const Window window{.kernel = 3, .padding = 1};
      const Array expected = naive_depthwise(x, weight, window, epilogue);
      for (const auto& device : test_devices()) {
        expect_close(depthwise(device, x, weight, window, epilogue), expected, op_tolerance(expected),
                     std::to_string(&epilogue - epilogues.data()));
      }
    }
  }
}

/// What lies outside a pixel's window must not reach it, not even by way of a product with zero.
// As positional convolutions add it; on a GPU x is then not read a second time.
TEST(DepthwiseConv2d, ResidualIsTheInput) {
  for (const auto& device : test_devices()) {
    for (const int kernel : {3, 5, 7}) {
      const Window window{.kernel = kernel, .padding = kernel / 2};
      const Array x = random_array({2, 5, 9, 16}, 1), weight = random_array({16, 1, kernel, kernel}, 2);
      const NaiveEpilogue naive{
          .shift = random_array({16}, 3), .residual = x, .final_activation = Activation::gelu};
      const Array expected = naive_depthwise(x, weight, window, naive);
      const Tensor input = upload(device, x);
      Epilogue<Tensor> epilogue = naive.on<TestBackend>(device);
      epilogue.residual = input;
      const auto w = upload_weight(device, WeightLayout::depthwise, weight);
      expect_close(download(TestBackend::depthwise_conv2d(input, w, window, epilogue)), expected,
                   op_tolerance(expected), "kernel " + std::to_string(kernel));
      // What is done before the sum with x is not moved behind it.
      epilogue.layer_scale = upload_weight(device, WeightLayout::plain, random_array({16}, 4));
      NaiveEpilogue scaled = naive;
      scaled.layer_scale = random_array({16}, 4);
      expect_close(download(TestBackend::depthwise_conv2d(input, w, window, epilogue)),
                   naive_depthwise(x, weight, window, scaled), op_tolerance(expected), "scaled");
    }
  }
}

TEST(DepthwiseConv2d, InfinityStaysWithinTheWindow) {
  Array x{{1, 1, 20, 16}, std::vector<float>(320, 1.0f)};
  for (std::size_t c = 0; c < 16; ++c) x.values[5 * 16 + c] = std::numeric_limits<float>::infinity();
  const Array weight{{16, 1, 3, 3}, std::vector<float>(144, 1.0f)};
  for (const auto& device : test_devices()) {
    const Array y = depthwise(device, x, weight, {.kernel = 3, .padding = 1});
    for (std::size_t column = 0; column < 20; ++column) {
      EXPECT_EQ(std::isfinite(y.values[column * 16]), column < 4 || column > 6) << column;
    }
  }
}

TEST(DepthwiseConv2d, ThreadsDoNotChangeABit) {
  const Array x = random_array({2, 13, 21, 48}, 1);
  const Array weight = random_array({48, 1, 7, 7}, 2);
  const Window window{.kernel = 7, .padding = 3};
  expect_same_on_all_devices([&](const auto& device) { return depthwise(device, x, weight, window).values; });
}

TEST(DepthwiseConv2d, NoChannelsHaveNone) {
  for (const auto& device : test_devices()) {
    const Tensor x = upload(device, {{1, 4, 5, 0}, {}}), weight = upload(device, {{0, 1, 3, 3}, {}});
    const Tensor y = TestBackend::depthwise_conv2d(x, weight, {.kernel = 3, .padding = 1}, {});
    EXPECT_EQ(y.shape(), Shape({1, 4, 5, 0}));
  }
}

TEST(DepthwiseConv2d, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Array x = random_array({1, 4, 4, 6}, 1);
  const Array weight = random_array({6, 1, 3, 3}, 1);
  const auto error = [&](const Array& input, const Array& filter, const Window& window,
                         NaiveEpilogue epilogue = {}) {
    try {
      depthwise(device, input, filter, window, epilogue);
    } catch (const ShapeError& e) {
      return std::string(e.what());
    }
    return std::string("no ShapeError");
  };
  EXPECT_EQ(error(random_array({4, 4, 6}, 1), weight, {.kernel = 3}),
            "[depthwise_conv2d] input must be [N, H, W, C]; got (4, 4, 6)");
  EXPECT_EQ(error(x, weight, {.kernel = 5}),
            "[depthwise_conv2d] weight must be [C, 1, k, k] with k = 5; got (6, 1, 3, 3)");
  EXPECT_EQ(error(random_array({1, 4, 4, 5}, 1), weight, {.kernel = 3}),
            "[depthwise_conv2d] 6 channels expected; got (1, 4, 4, 5) (6, 1, 3, 3)");
  EXPECT_EQ(error(random_array({1, 2, 4, 6}, 1), weight, {.kernel = 3}),
            "[depthwise_conv2d] input is smaller than the window; got (1, 2, 4, 6) (6, 1, 3, 3)");
  EXPECT_EQ(error(x, weight, {.kernel = 3}, {.residual = x}),
            "[depthwise_conv2d] operands must have the same shape; got (1, 2, 2, 6) (1, 4, 4, 6)");
}

}  // namespace
}  // namespace dformer::testing
