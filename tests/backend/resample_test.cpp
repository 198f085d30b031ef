#include <limits>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array pool(const TestBackend::Device& device, const std::vector<Array>& arrays, std::int64_t height,
           std::int64_t width) {
  std::vector<Tensor> inputs;
  for (const Array& array : arrays) inputs.push_back(upload(device, array));
  return download(TestBackend::adaptive_avg_pool(inputs, height, width));
}

Array resize(const TestBackend::Device& device, const Array& x, std::int64_t height, std::int64_t width,
             bool align_corners = false) {
  return download(TestBackend::resize_bilinear(upload(device, x), height, width, align_corners));
}

std::vector<std::uint8_t> labels(const TestBackend::Device& device, const Array& x, std::int64_t height,
                                 std::int64_t width) {
  const TestBackend::Labels y = TestBackend::resize_argmax(upload(device, x), height, width);
  EXPECT_EQ(to_string(y.shape()), to_string(Shape{x.shape[0], height, width}));
  std::vector<std::uint8_t> values(static_cast<std::size_t>(y.shape().numel()));
  TestBackend::labels_to_host(y, values);
  return values;
}

/// The first largest of each row.
std::vector<std::uint8_t> argmax(const Array& x) {
  std::vector<std::uint8_t> result;
  for (auto row = x.values.begin(); row != x.values.end(); row += x.shape.back()) {
    result.push_back(static_cast<std::uint8_t>(std::max_element(row, row + x.shape.back()) - row));
  }
  return result;
}

/// Logits as a network gives them: a few regions, each with its class well ahead.
Array regions(const Shape& shape, std::int64_t extent) {
  Array x = random_array(shape, 5);
  for (std::int64_t i = 0; i < shape.rows(); ++i) {
    const std::int64_t row = i / shape[2] % shape[1], column = i % shape[2];
    const std::int64_t label = (row / extent * 7 + column / extent * 3) % shape[3];
    x.values[static_cast<std::size_t>(i * shape[3] + label)] += 5.0f;
  }
  return x;
}

TEST(AdaptiveAvgPool, MatchesReference) {
  for (const char* name : {"15x20_to_7", "2x3_to_6", "2x3_to_7", "4x6_to_7", "5x7_to_1", "5x7_to_2",
                           "5x7_to_3", "5x7_to_6", "5x9_to_7", "7x7_to_7", "8x12_to_7"}) {
    const Golden golden(std::string("ops/adaptive_avg_pool_") + name);
    const Array expected = golden.nhwc("output");
    for (const auto& device : test_devices()) {
      const Array y = pool(device, {golden.nhwc("input.x")}, expected.shape[1], expected.shape[2]);
      expect_close(y, expected, op_tolerance(expected), name);
    }
  }
}

TEST(AdaptiveAvgPool, OverlappingWindows) {
  // Three columns to two: the middle one belongs to both windows.
  for (const auto& device : test_devices()) {
    EXPECT_EQ(pool(device, {{{1, 1, 3, 1}, {1, 3, 9}}}, 1, 2).values, (std::vector<float>{2, 6}));
  }
}

TEST(AdaptiveAvgPool, ManyInputsAreTheirConcatenation) {
  for (std::int64_t channels = 1; channels <= 140; channels = channels * 3 / 2 + 1) {
    const Array a = random_array({2, 9, 11, channels}, 1), b = random_array({2, 9, 11, 141 - channels}, 2);
    for (const auto& device : test_devices()) {
      const Tensor both = TestBackend::concat(std::array{upload(device, a), upload(device, b)});
      const Array expected = download(TestBackend::adaptive_avg_pool(std::array{both}, 7, 5));
      expect_close(pool(device, {a, b}, 7, 5), expected, 1e-6, std::to_string(channels));
    }
  }
}

/// So large that they are summed in parts.
TEST(AdaptiveAvgPool, LargeWindows) {
  for (const std::int64_t channels : {3, 16}) {
    const Array x = random_array({2, 31, 50, channels}, 1);
    std::vector<double> sums(static_cast<std::size_t>(2 * channels));
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      const std::size_t image = i / (x.values.size() / 2), channel = i % static_cast<std::size_t>(channels);
      sums[image * static_cast<std::size_t>(channels) + channel] += static_cast<double>(x.values[i]);
    }
    Array expected{{2, 1, 1, channels}, {}};
    for (const double sum : sums) expected.values.push_back(static_cast<float>(sum / (31 * 50)));
    for (const auto& device : test_devices()) expect_close(pool(device, {x}, 1, 1), expected, 1e-6, "mean");
  }
}

TEST(ResizeBilinear, MatchesReference) {
  for (const char* name : {"12x10_to_7x23", "1x1_to_3x4", "2x3_to_8x12", "3x1_to_5x4", "4x6_to_1x1",
                           "5x7_to_10x14", "5x7_to_13x9", "6x5_to_6x5", "7x7_to_6x9", "9x11_to_4x5"}) {
    for (const bool align_corners : {false, true}) {
      const Golden golden(std::string("ops/bilinear_") + name + (align_corners ? "_ac1" : "_ac0"));
      const Array expected = golden.nhwc("output");
      for (const auto& device : test_devices()) {
        const Array y =
            resize(device, golden.nhwc("input.x"), expected.shape[1], expected.shape[2], align_corners);
        expect_close(y, expected, op_tolerance(expected), name);
      }
    }
  }
}

TEST(ResizeBilinear, FourPixelsFromTwo) {
  for (const auto& device : test_devices()) {
    EXPECT_EQ(resize(device, {{1, 1, 2, 1}, {0, 4}}, 1, 4).values, (std::vector<float>{0, 1, 3, 4}));
    EXPECT_EQ(resize(device, {{1, 1, 2, 1}, {0, 3}}, 1, 4, true).values, (std::vector<float>{0, 1, 2, 3}));
  }
}

/// Channels do not know of one another, so each count must give what one channel alone gives.
TEST(ResizeBilinear, EveryCountOfChannels) {
  for (const auto& device : test_devices()) {
    for (std::int64_t channels = 1; channels <= 40; ++channels) {
      const Array x = random_array({1, 3, 4, channels}, 1);
      const Array y = resize(device, x, 5, 9);
      for (std::int64_t c = 0; c < channels; ++c) {
        Array one{{1, 3, 4, 1}, {}};
        for (std::int64_t i = c; i < x.shape.numel(); i += channels) {
          one.values.push_back(x.values[static_cast<std::size_t>(i)]);
        }
        const Array expected = resize(device, one, 5, 9);
        for (std::size_t i = 0; i < 45; ++i) {
          ASSERT_EQ(y.values[i * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c)],
                    expected.values[i]);
        }
      }
    }
  }
}

TEST(ResizeArgmax, IsResizeThenArgmax) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t classes : {1, 2, 3, 15, 16, 17, 40, 256}) {
      for (const Shape& to :
           {Shape{32, 48}, Shape{13, 7}, Shape{4, 6}, Shape{2, 3}, Shape{1, 1}, Shape{37, 200}}) {
        for (const Array& x : {random_array({2, 4, 6, classes}, 3), regions({2, 4, 6, classes}, 2)}) {
          ASSERT_EQ(labels(device, x, to[0], to[1]), argmax(resize(device, x, to[0], to[1])))
              << classes << " classes to " << to_string(to);
        }
      }
    }
  }
}

TEST(ResizeArgmax, RegionsOfTheSizeOfTheNetworks) {
  const Array x = regions({1, 60, 80, 40}, 9);
  for (const auto& device : test_devices()) {
    EXPECT_EQ(labels(device, x, 480, 640), argmax(resize(device, x, 480, 640)));
  }
}

/// Logits one rounding apart: the class ahead at all four corners may fall behind between them.
TEST(ResizeArgmax, AlmostTies) {
  Array x = random_array({1, 8, 8, 5}, 1);
  for (std::size_t i = 0; i < x.values.size(); i += 5) {
    x.values[i + 4] = std::nextafter(*std::max_element(&x.values[i], &x.values[i + 4]), 2.0f);
  }
  for (const auto& device : test_devices()) {
    EXPECT_EQ(labels(device, x, 67, 83), argmax(resize(device, x, 67, 83)));
  }
}

TEST(ResizeArgmax, FirstOfEqualClasses) {
  for (const auto& device : test_devices()) {
    const Array equal{{1, 2, 2, 20}, std::vector<float>(80, 0.5f)};
    EXPECT_EQ(labels(device, equal, 5, 5), std::vector<std::uint8_t>(25, 0));
    Array two = equal;
    for (std::size_t pixel = 0; pixel < 4; ++pixel)
      two.values[pixel * 20 + 3] = two.values[pixel * 20 + 18] = 1.0f;
    EXPECT_EQ(labels(device, two, 5, 5), std::vector<std::uint8_t>(25, 3));
  }
}

TEST(ResizeArgmax, InfiniteLogits) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const auto& device : test_devices()) {
    EXPECT_EQ(labels(device, {{1, 1, 1, 3}, {-infinity, 1.0f, -infinity}}, 1, 1),
              std::vector<std::uint8_t>{1});
    EXPECT_EQ(labels(device, {{1, 1, 1, 3}, {0.0f, 1.0f, -infinity}}, 1, 1), std::vector<std::uint8_t>{1});
  }
}

TEST(Resample, ThreadsDoNotChangeABit) {
  const Array x = regions({2, 7, 9, 33}, 3);
  expect_same_on_all_devices([&](const auto& device) { return pool(device, {x}, 5, 5).values; });
  expect_same_on_all_devices([&](const auto& device) { return resize(device, x, 31, 40).values; });
  expect_same_on_all_devices([&](const auto& device) { return labels(device, x, 31, 40); });
}

TEST(Resample, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Tensor x = upload(device, random_array({1, 2, 2, 3}, 1));
  const auto error = [](const auto& call) {
    try {
      call();
    } catch (const ShapeError& e) {
      return std::string(e.what());
    }
    return std::string("no ShapeError");
  };
  EXPECT_EQ(error([&] {
              TestBackend::resize_bilinear(upload(device, random_array({2, 2, 3}, 1)), 4, 4, false);
            }),
            "[resize_bilinear] input must be [N, H, W, C] and not empty; got (2, 2, 3)");
  EXPECT_EQ(error([&] { TestBackend::resize_bilinear(x, 0, 4, false); }),
            "[resize_bilinear] output extents must be positive; got (0, 4)");
  EXPECT_EQ(error([&] { TestBackend::adaptive_avg_pool(std::array{x}, 4, -1); }),
            "[adaptive_avg_pool] output extents must be positive; got (4, -1)");
  EXPECT_EQ(
      error([&] {
        TestBackend::adaptive_avg_pool(std::array{x, upload(device, random_array({1, 2, 3, 3}, 1))}, 4, 4);
      }),
      "[adaptive_avg_pool] inputs must agree in all but the last extent; got (1, 2, 2, 3) (1, 2, 3, 3)");
  EXPECT_EQ(error([&] {
              TestBackend::resize_argmax(upload(device, random_array({1, 1, 1, 257}, 1)), 4, 4);
            }),
            "[resize_argmax] from 1 to 256 classes fit a byte; got (1, 1, 1, 257)");
  std::vector<std::uint8_t> few(3);
  EXPECT_EQ(error([&] { TestBackend::labels_to_host(TestBackend::resize_argmax(x, 2, 2), few); }),
            "[labels_to_host] room for 3 labels does not fit; got (1, 2, 2)");
}

}  // namespace
}  // namespace dformer::testing
