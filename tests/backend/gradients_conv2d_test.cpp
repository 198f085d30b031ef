#include <backend/naive_conv2d_gradients.hpp>

namespace dformer::testing {
namespace {

TEST(Conv2dGradients, MatchReference) {
  for (const char* name :
       {"conv2d_1x1", "conv2d_1x1_nobias", "conv2d_3x3_1ch", "conv2d_3x3_s1_p1", "conv2d_3x3_s2_p1",
        "conv2d_3x3_s2_p1_odd", "conv2d_3x3_dil2", "conv2d_3x3_dil12"}) {
    expect_like_reference(name, false);
  }
}

TEST(Conv2dGradients, EveryWindowAtOddSizes) {
  for (const int kernel : {1, 2, 3, 5, 7}) {
    for (const int stride : {1, 2, 4}) {
      for (const int padding : {0, 1, 3}) {
        for (const int dilation : {1, 2}) {
          const ConvolutionCase test{{2, 9, 13, 5}, 19, {kernel, stride, padding, dilation}};
          if (test.y()[1] > 0) expect_like_naive(test);
        }
      }
    }
  }
}

TEST(Conv2dGradients, DownSamplingOfTheNetworks) {
  expect_like_naive({{1, 21, 35, 64}, 72, {.kernel = 3, .stride = 2, .padding = 1}});
  expect_like_naive({{2, 10, 12, 180}, 40, {.kernel = 3, .stride = 2, .padding = 1}});
  expect_like_naive({{1, 9, 7, 530}, 20, {.kernel = 3, .stride = 2, .padding = 1}});
}

#if !defined(DFORMER_TEST_CUDA)
TEST(Conv2dGradients, DoubleIsExactToTheLastBitOfFloat) {
  expect_double({{1, 11, 9, 33}, 21, {.kernel = 3, .stride = 2, .padding = 1}});
}
#endif

TEST(Conv2dGradients, ThreadsDoNotChangeABit) {
  expect_same_for_all_threads({{2, 49, 63, 18}, 40, {.kernel = 3, .stride = 2, .padding = 1}});
}

TEST(Conv2dGradients, SayWhichShapesDoNotFit) {
  using G = TestGradients;
  const TestBackend::Device device;
  const auto tensor = [&](const Shape& shape) { return upload(device, random_array(shape, 1)); };
  const Tensor weight = upload_weight(device, WeightLayout::dense, random_array({4, 3, 3, 3}, 1));
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::conv2d_input(tensor({1, 4, 5, 4}), weight, window, {1, 8, 8, 3});
            }),
            "[conv2d_input] dy must have the shape of the result, (1, 4, 4, 4); got (1, 4, 5, 4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::conv2d_input(tensor({1, 4, 4, 4}), weight, window, {1, 8, 8, 2});
            }),
            "[conv2d] 3 input channels expected; got (1, 8, 8, 2) (4, 3, 3, 3)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::conv2d_weight(tensor({1, 8, 8, 3}), tensor({2, 4, 4, 4}), window, {4, 3, 3, 3});
            }),
            "[conv2d_weight] dy must have the shape of the result, (1, 4, 4, 4); got (2, 4, 4, 4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              G::conv2d_weight(tensor({1, 8, 8, 3}), tensor({1, 4, 4, 4}), window, {4, 3, 5, 5});
            }),
            "[conv2d] weight must be [O, I, k, k] with k = 3; got (4, 3, 5, 5)");
}

}  // namespace
}  // namespace dformer::testing
