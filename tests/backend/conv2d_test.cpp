#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array conv2d(const TestBackend::Device& device, const Array& x, const Array& weight, const Window& window,
             const NaiveEpilogue& epilogue = {}) {
  return download(TestBackend::conv2d(upload(device, x), upload_weight(device, WeightLayout::dense, weight),
                                      window, epilogue.on<TestBackend>(device)));
}

/// x [N, H, W, I], weight [O, I, k, k], summed in double.
Array naive_conv2d(const Array& x, const Array& weight, const Window& window,
                   const NaiveEpilogue& epilogue = {}) {
  const std::int64_t height = x.shape[1], width = x.shape[2], inputs = x.shape[3];
  Array y{{x.shape[0], window.output_extent(height), window.output_extent(width), weight.shape[0]}, {}};
  for (std::int64_t i = 0; i < y.shape.numel(); ++i) {
    const std::int64_t c = i % y.shape[3];
    const std::int64_t column = i / y.shape[3] % y.shape[2];
    const std::int64_t row = i / y.shape[3] / y.shape[2] % y.shape[1];
    const std::int64_t image = i / y.shape[3] / y.shape[2] / y.shape[1];
    double sum = 0;
    for (std::int64_t dy = 0; dy < window.kernel; ++dy) {
      for (std::int64_t dx = 0; dx < window.kernel; ++dx) {
        const std::int64_t v = row * window.stride - window.padding + dy * window.dilation;
        const std::int64_t u = column * window.stride - window.padding + dx * window.dilation;
        if (v < 0 || v >= height || u < 0 || u >= width) continue;
        for (std::int64_t k = 0; k < inputs; ++k) {
          const std::int64_t from = ((image * height + v) * width + u) * inputs + k;
          const std::int64_t tap = ((c * inputs + k) * window.kernel + dy) * window.kernel + dx;
          sum += static_cast<double>(x.values[static_cast<std::size_t>(from)]) *
                 static_cast<double>(weight.values[static_cast<std::size_t>(tap)]);
        }
      }
    }
    y.values.push_back(
        static_cast<float>(epilogue(sum, static_cast<std::size_t>(i), static_cast<std::size_t>(y.shape[3]))));
  }
  return y;
}

TEST(Conv2d, MatchesReference) {
  for (const char* name :
       {"ops/conv2d_1x1", "ops/conv2d_1x1_nobias", "ops/conv2d_3x3_1ch", "ops/conv2d_3x3_s1_p1",
        "ops/conv2d_3x3_s2_p1", "ops/conv2d_3x3_s2_p1_odd", "ops/conv2d_3x3_dil2", "ops/conv2d_3x3_dil12"}) {
    const Golden golden(name);
    const auto attributes = golden.json("attrs");
    const Array weight = golden.array("param.weight");
    const Window window{static_cast<int>(weight.shape[2]), attributes.at("stride"), attributes.at("padding"),
                        attributes.at("dilation")};
    NaiveEpilogue bias;
    if (golden.has("param.bias")) bias.shift = golden.array("param.bias");
    const Array expected = golden.nhwc("output");
    for (const auto& device : test_devices()) {
      expect_close(conv2d(device, golden.nhwc("input.x"), weight, window, bias), expected,
                   op_tolerance(expected), name);
    }
  }
}

TEST(Conv2d, EveryWindowAtOddSizes) {
  for (const auto& device : test_devices()) {
    for (const int kernel : {1, 2, 3, 5, 7}) {
      for (const int stride : {1, 2, 4}) {
        for (const int padding : {0, 1, 3}) {
          for (const int dilation : {1, 2}) {
            const Window window{kernel, stride, padding, dilation};
            const Array x = random_array({2, 9, 13, 5}, 1);
            if (window.output_extent(9) < 1) continue;
            const Array weight = random_array({19, 5, kernel, kernel}, 2);
            const Array expected = naive_conv2d(x, weight, window);
            expect_close(conv2d(device, x, weight, window), expected, op_tolerance(expected),
                         "kernel " + std::to_string(kernel) + " stride " + std::to_string(stride) +
                             " padding " + std::to_string(padding) + " dilation " + std::to_string(dilation));
          }
        }
      }
    }
  }
}

TEST(Conv2d, DownSamplingOfTheNetworks) {
  const Array x = random_array({1, 21, 35, 64}, 1);
  const Array weight = random_array({72, 64, 3, 3}, 2);
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  const NaiveEpilogue epilogue = NaiveEpilogue::full({1, 11, 18, 72}, Activation::gelu, Activation::relu);
  const Array expected = naive_conv2d(x, weight, window, epilogue);
  for (const auto& device : test_devices()) {
    expect_close(conv2d(device, x, weight, window, epilogue), expected, op_tolerance(expected),
                 "3x3, stride 2");
  }
}

TEST(Conv2d, SaysWhichShapesDoNotFit) {
  const auto& device = TestBackend::default_device();
  const Tensor weight = upload_weight(device, WeightLayout::dense, random_array({4, 3, 3, 3}, 1));
  const auto error = [&](const Shape& x, const Window& window,
                         const Epilogue<Tensor>& epilogue = {}) -> std::string {
    try {
      TestBackend::conv2d(upload(device, random_array(x, 1)), weight, window, epilogue);
    } catch (const ShapeError& shape_error) {
      return shape_error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(error({1, 8, 8, 5}, {.kernel = 3}),
            "[conv2d] 3 input channels expected; got (1, 8, 8, 5) (4, 3, 3, 3)");
  EXPECT_EQ(error({8, 8, 3}, {.kernel = 3}), "[conv2d] input must be [N, H, W, C]; got (8, 8, 3)");
  EXPECT_EQ(error({1, 8, 8, 3}, {.kernel = 5}),
            "[conv2d] weight must be [O, I, k, k] with k = 5; got (4, 3, 3, 3)");
  EXPECT_EQ(error({1, 2, 8, 3}, {.kernel = 3}),
            "[conv2d] input is smaller than the window; got (1, 2, 8, 3) (4, 3, 3, 3)");
  Epilogue<Tensor> epilogue;
  epilogue.residual = upload(device, random_array({1, 8, 8, 4}, 1));
  EXPECT_EQ(error({1, 8, 8, 3}, {.kernel = 3}, epilogue),
            "[conv2d] operands must have the same shape; got (1, 6, 6, 4) (1, 8, 8, 4)");
}

}  // namespace
}  // namespace dformer::testing
