#include <limits>

#include <backend/naive_conv2d_gradients.hpp>

namespace dformer::testing {
namespace {

TEST(DepthwiseGradients, MatchReference) {
  for (const char* name : {"dwconv_3x3", "dwconv_5x5", "dwconv_7x7", "dwconv_7x7_small"}) {
    expect_like_reference(name, true);
  }
}

TEST(DepthwiseGradients, EveryWidth) {
  for (const int kernel : {3, 5, 7}) {
    for (std::int64_t width = 1; width <= 37; ++width) {
      expect_like_naive({{1, 3, width, 16}, 0, {.kernel = kernel, .padding = kernel / 2}});
    }
  }
}

TEST(DepthwiseGradients, EveryHeightAndSeveralImages) {
  for (const int kernel : {3, 5, 7}) {
    for (std::int64_t height = 1; height <= 9; ++height) {
      expect_like_naive({{2, height, 11, 17}, 0, {.kernel = kernel, .padding = kernel / 2}});
    }
  }
}

TEST(DepthwiseGradients, EveryCountOfChannels) {
  for (const int kernel : {3, 7}) {
    for (std::int64_t channels = 1; channels <= 40; ++channels) {
      expect_like_naive({{1, 4, 13, channels}, 0, {.kernel = kernel, .padding = kernel / 2}});
    }
  }
}

/// Several segments, blocks of channels and slices.
TEST(DepthwiseGradients, SizesOfTheNetworks) {
  expect_like_naive({{2, 13, 135, 520}, 0, {.kernel = 3, .padding = 1}});
  expect_like_naive({{2, 9, 15, 2048}, 0, {.kernel = 3, .padding = 1}});
  expect_like_naive({{2, 15, 170, 144}, 0, {.kernel = 7, .padding = 3}});
  expect_like_naive({{1, 9, 20, 330}, 0, {.kernel = 5, .padding = 2}});
}

TEST(DepthwiseGradients, AnyWindow) {
  for (const std::int64_t channels : {5, 16, 35}) {
    for (const Window& window :
         {Window{.kernel = 1}, Window{.kernel = 1, .padding = 1}, Window{.kernel = 2, .stride = 2},
          Window{.kernel = 3, .stride = 2, .padding = 1}, Window{.kernel = 3},
          Window{.kernel = 3, .padding = 4}, Window{.kernel = 3, .padding = 2, .dilation = 2},
          Window{.kernel = 4, .padding = 3}, Window{.kernel = 9, .padding = 4},
          Window{.kernel = 7, .stride = 3, .padding = 1}}) {
      expect_like_naive({{2, 9, 12, channels}, 0, window});
    }
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(DepthwiseGradients, DoubleIsExactToTheLastBitOfFloat) {
  expect_double({{2, 11, 19, 21}, 0, {.kernel = 7, .padding = 3}});
}
#endif

TEST(DepthwiseGradients, ThreadsDoNotChangeABit) {
  expect_same_for_all_threads({{2, 33, 21, 48}, 0, {.kernel = 7, .padding = 3}});
  expect_same_for_all_threads({{2, 13, 140, 600}, 0, {.kernel = 3, .padding = 1}});
}

/// What lies outside a pixel's window must not reach it, not even by way of a product with zero.
TEST(DepthwiseGradients, InfinityStaysWithinTheWindow) {
  const Shape shape{1, 1, 21, 16};
  const Array ones{shape, std::vector<float>(21 * 16, 1.0f)};
  const Array weight{{16, 1, 3, 3}, std::vector<float>(144, 1.0f)};
  for (const std::size_t column : {0, 20}) {
    Array x = ones;
    for (std::size_t c = 0; c < 16; ++c) x.values[column * 16 + c] = std::numeric_limits<float>::infinity();
    for (const auto& device : test_devices()) {
      const auto dw =
          conv2d_gradients<TestBackend>(device, x, weight, ones, {.kernel = 3, .padding = 1}, true).weight;
      for (std::size_t tap = 0; tap < 9; ++tap) {
        const bool met = tap / 3 == 1 && tap % 3 != (column == 0 ? 2 : 0);
        const float expected = tap / 3 != 1 ? 0.0f : met ? std::numeric_limits<float>::infinity() : 20.0f;
        EXPECT_EQ(dw.values[tap], expected) << tap;
      }
    }
  }
}

TEST(DepthwiseGradients, OfAnEmptyBatchAreZero) {
  for (const auto& device : test_devices()) {
    for (const int kernel : {3, 5, 7}) {
      const Window window{.kernel = kernel, .padding = kernel / 2};
      const auto none = upload(device, {{0, 8, 8, 16}, {}});
      const Array dw =
          download(TestGradients::depthwise_conv2d_weight(none, none, window, {16, 1, kernel, kernel}));
      EXPECT_EQ(dw.values, std::vector<float>(dw.values.size(), 0.0f));
    }
  }
}

TEST(DepthwiseGradients, SayWhichShapesDoNotFit) {
  using G = TestGradients;
  const TestBackend::Device device;
  const auto tensor = [&](const Shape& shape) { return upload(device, random_array(shape, 1)); };
  const Window window{.kernel = 3, .padding = 1};
  const auto weight = tensor({6, 1, 3, 3});
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::depthwise_conv2d_input(tensor({1, 4, 5, 6}), weight, window, {1, 4, 4, 6});
            }),
            "[depthwise_conv2d_input] dy must have the shape of the result, (1, 4, 4, 6); got (1, 4, 5, 6)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::depthwise_conv2d_weight(tensor({1, 4, 4, 6}), tensor({1, 4, 4, 5}), window, {6, 1, 3, 3});
            }),
            "[depthwise_conv2d_weight] dy must have the shape of the result, (1, 4, 4, 6); got (1, 4, 4, 5)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::depthwise_conv2d_weight(tensor({1, 4, 4, 6}), tensor({1, 4, 4, 6}), window, {6, 1, 5, 5});
            }),
            "[depthwise_conv2d] weight must be [C, 1, k, k] with k = 3; got (6, 1, 5, 5)");
}

}  // namespace
}  // namespace dformer::testing
