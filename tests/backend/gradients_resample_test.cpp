#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

Array pool_gradient(const TestBackend::Device& device, const Array& dy, std::int64_t height,
                    std::int64_t width) {
  return download(TestGradients::adaptive_avg_pool(upload(device, dy), height, width));
}

Array resize_gradient(const TestBackend::Device& device, const Array& dy, std::int64_t height,
                      std::int64_t width, bool align_corners) {
  return download(TestGradients::resize_bilinear(upload(device, dy), height, width, align_corners));
}

/// The sum of a * b, in double.
double dot(const Array& a, const Array& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    sum += static_cast<double>(a.values[i]) * static_cast<double>(b.values[i]);
  }
  return sum;
}

/// The gradient of a linear map is its transpose: its elements are the maps of single pixels times dy.
template <class Map>
Array transposed_map(const Map& map, const Shape& x, const Array& dy) {
  Array dx{x, {}};
  Array pixel{x, std::vector<float>(static_cast<std::size_t>(x.numel()))};
  for (float& value : pixel.values) {
    value = 1.0f;
    dx.values.push_back(static_cast<float>(dot(map(pixel), dy)));
    value = 0.0f;
  }
  return dx;
}

TEST(AdaptiveAvgPoolGradient, MatchesReference) {
  for (const char* name : {"15x20_to_7", "2x3_to_6", "2x3_to_7", "4x6_to_7", "5x7_to_1", "5x7_to_2",
                           "5x7_to_3", "5x7_to_6", "5x9_to_7", "7x7_to_7", "8x12_to_7"}) {
    const Golden golden(std::string("ops/adaptive_avg_pool_") + name);
    const Array expected = golden.nhwc("grad.input.x");
    for (const auto& device : test_devices()) {
      expect_close(pool_gradient(device, golden.nhwc("grad_output"), expected.shape[1], expected.shape[2]),
                   expected, op_tolerance(expected), name);
    }
  }
}

TEST(AdaptiveAvgPoolGradient, OverlappingWindows) {
  // Three columns to two: the middle one belongs to both windows.
  for (const auto& device : test_devices()) {
    EXPECT_EQ(pool_gradient(device, {{1, 1, 2, 1}, {2, 6}}, 1, 3).values, (std::vector<float>{1, 4, 3}));
  }
}

TEST(ResizeBilinearGradient, MatchesReference) {
  for (const char* name : {"12x10_to_7x23", "1x1_to_3x4", "2x3_to_8x12", "3x1_to_5x4", "4x6_to_1x1",
                           "5x7_to_10x14", "5x7_to_13x9", "6x5_to_6x5", "7x7_to_6x9", "9x11_to_4x5"}) {
    for (const bool align_corners : {false, true}) {
      const Golden golden(std::string("ops/bilinear_") + name + (align_corners ? "_ac1" : "_ac0"));
      const Array expected = golden.nhwc("grad.input.x");
      for (const auto& device : test_devices()) {
        const Array dx = resize_gradient(device, golden.nhwc("grad_output"), expected.shape[1],
                                         expected.shape[2], align_corners);
        expect_close(dx, expected, op_tolerance(expected), name);
      }
    }
  }
}

/// A single pixel's share of the result is what it gives to the gradient.
TEST(ResampleGradient, IsTheTranspose) {
  const TestBackend::Device device;
  for (const Shape& from : {Shape{1, 1}, Shape{3, 5}, Shape{6, 2}, Shape{7, 7}}) {
    for (const Shape& to : {Shape{1, 1}, Shape{2, 9}, Shape{7, 7}, Shape{12, 5}, Shape{29, 31}}) {
      const Shape x{1, from[0], from[1], 1};
      const Array dy = random_array({1, to[0], to[1], 1}, 1);
      const Array pooled = transposed_map(
          [&](const Array& pixel) {
            return download(TestBackend::adaptive_avg_pool(std::array{upload(device, pixel)}, to[0], to[1]));
          },
          x, dy);
      expect_close(pool_gradient(device, dy, from[0], from[1]), pooled, op_tolerance(pooled), to_string(to));
      for (const bool align_corners : {false, true}) {
        const Array resized = transposed_map(
            [&](const Array& pixel) {
              return download(
                  TestBackend::resize_bilinear(upload(device, pixel), to[0], to[1], align_corners));
            },
            x, dy);
        expect_close(resize_gradient(device, dy, from[0], from[1], align_corners), resized,
                     op_tolerance(resized), to_string(to));
      }
    }
  }
}

/// Channels do not know of one another, so each count must give what one channel alone gives.
TEST(ResampleGradient, EveryCountOfChannels) {
  for (const auto& device : test_devices()) {
    for (std::int64_t channels = 1; channels <= 70; ++channels) {
      const Array dy = random_array({2, 5, 9, channels}, 1);
      const Array dx = resize_gradient(device, dy, 3, 4, false), pooled = pool_gradient(device, dy, 13, 11);
      const auto channel = [&](const Array& array, std::int64_t c) {
        Array one{array.shape.with_back(1), {}};
        for (std::int64_t i = c; i < array.shape.numel(); i += channels) {
          one.values.push_back(array.values[static_cast<std::size_t>(i)]);
        }
        return one;
      };
      for (const std::int64_t c : {std::int64_t{0}, channels / 2, channels - 1}) {
        const Array one = channel(dy, c);
        expect_close(channel(dx, c), resize_gradient(device, one, 3, 4, false), 1e-6, "resize");
        expect_close(channel(pooled, c), pool_gradient(device, one, 13, 11), 1e-6, "pool");
      }
    }
  }
}

/// Of windows of many pixels, whose sums are shared by threads, for several of them at once.
TEST(ResizeBilinearGradient, LargeWindowsOfManyChannels) {
  for (const std::int64_t channels : {8, 24, 72}) {
    const Array dy = random_array({2, 31, 40, channels}, 1);
    const Array one{{2, 31, 40, 1}, [&] {
                      std::vector<float> values;
                      for (std::size_t i = static_cast<std::size_t>(channels) - 1; i < dy.values.size();
                           i += static_cast<std::size_t>(channels)) {
                        values.push_back(dy.values[i]);
                      }
                      return values;
                    }()};
    for (const auto& device : test_devices()) {
      const Array dx = resize_gradient(device, dy, 3, 4, true);
      const Array expected = resize_gradient(device, one, 3, 4, true);
      Array last{expected.shape, {}};
      for (std::size_t i = 1; i <= expected.values.size(); ++i) {
        last.values.push_back(dx.values[i * static_cast<std::size_t>(channels) - 1]);
      }
      expect_close(last, expected, op_tolerance(expected), std::to_string(channels));
    }
  }
}

TEST(ResampleGradient, ThreadsDoNotChangeABit) {
  const Array dy = random_array({2, 31, 40, 33}, 1), wide = random_array({2, 31, 40, 16}, 2);
  expect_same_on_all_devices(
      [&](const auto& device) { return resize_gradient(device, wide, 3, 4, false).values; });
  expect_same_on_all_devices([&](const auto& device) { return pool_gradient(device, dy, 50, 47).values; });
  expect_same_on_all_devices(
      [&](const auto& device) { return resize_gradient(device, dy, 7, 9, false).values; });
}

TEST(ResampleGradient, NoChannelsHaveNone) {
  for (const auto& device : test_devices()) {
    EXPECT_EQ(resize_gradient(device, {{1, 16, 16, 0}, {}}, 2, 2, false).shape, Shape({1, 2, 2, 0}));
    EXPECT_EQ(pool_gradient(device, {{1, 2, 2, 0}, {}}, 16, 16).shape, Shape({1, 16, 16, 0}));
  }
}

TEST(ResampleGradient, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Array dy = random_array({1, 2, 2, 3}, 1), flat = random_array({2, 2, 3}, 1);
  EXPECT_EQ(message_of<ShapeError>([&] { resize_gradient(device, flat, 4, 4, false); }),
            "[resize_bilinear gradient] input must be [N, H, W, C] and not empty; got (2, 2, 3)");
  EXPECT_EQ(message_of<ShapeError>([&] { pool_gradient(device, dy, 0, 4); }),
            "[adaptive_avg_pool gradient] output extents must be positive; got (0, 4)");
}

}  // namespace
}  // namespace dformer::testing
