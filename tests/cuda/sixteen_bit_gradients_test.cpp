#include <array>

#include <cuda/sixteen_bit.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

/// What sums of some hundred float32 products may differ by when they are made in another order.
constexpr double order = 2e-5;

template <class T>
struct SixteenBitGradients : ::testing::Test {};
TYPED_TEST_SUITE(SixteenBitGradients, SixteenBitTypes);

TYPED_TEST(SixteenBitGradients, OfWhatWorksElementByElement) {
  using T = TypeParam;
  const cuda::Device device;
  for (const std::int64_t channels : {16, 13}) {
    const Array x = rounded_to<T>(random_array({3, 7, channels}, 1));
    const Array dy = rounded_to<T>(random_array({3, 7, channels}, 2));
    const Array scale = random_array({channels}, 3), factors = random_array({3 * channels}, 4);
    const auto all = [&]<class S>(S) {
      using G = Gradients<Cuda<S>>;
      const auto from = upload_as<S>(device, x), upstream = upload_as<S>(device, dy);
      auto sum = upload_as<S>(device, x);
      G::add_to(sum, upstream);
      return std::array{download_from(G::activation(from, Activation::gelu, upstream)),
                        download_from(G::activation(from, Activation::sigmoid, upstream)),
                        download_from(G::softmax(from, upstream)),
                        download_from(G::scale_channels(from, upload_channels<S>(device, scale))),
                        download_from(G::scale_samples(from, factors.values)),
                        download_from(G::scaled(from, 0.3f)),
                        download_from(sum),
                        download_from(G::split(from, std::array<std::int64_t, 2>{8, channels - 8})[1])};
    };
    const auto actual = all(T{}), expected = all(0.0f);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      expect_rounded<T>(actual[i], expected[i], order, "operation " + std::to_string(i));
    }
  }
}

/// Sums over rows are not rounded to T.
TYPED_TEST(SixteenBitGradients, SumsOverRows) {
  using T = TypeParam;
  using G = Gradients<Cuda<T>>;
  const cuda::Device device;
  for (const std::int64_t channels : {24, 5}) {
    const Array a = rounded_to<T>(random_array({301, channels}, 1));
    const Array b = rounded_to<T>(random_array({301, channels}, 2));
    EXPECT_EQ(download_from(G::channel_sums(upload_as<T>(device, a))).values,
              download(Gradients<TestBackend>::channel_sums(upload(device, a))).values);
    EXPECT_EQ(
        download_from(G::channel_products(upload_as<T>(device, a), upload_as<T>(device, b))).values,
        download(Gradients<TestBackend>::channel_products(upload(device, a), upload(device, b))).values);
    EXPECT_DOUBLE_EQ(G::sum_of_squares(upload_as<T>(device, a)),
                     Gradients<TestBackend>::sum_of_squares(upload(device, a)));
  }
}

TYPED_TEST(SixteenBitGradients, OfValuesForChannels) {
  using T = TypeParam;
  using G = Gradients<Cuda<T>>;
  const cuda::Device device;
  auto sum = upload_channels<T>(device, {{3}, {1, 2, 3}});
  G::add_to(sum, upload_channels<T>(device, {{3}, {0x1p-20f, 0, 0}}));
  EXPECT_EQ(download_from(G::scaled(sum, 2.0f)).values, (std::vector<float>{2.0f + 0x1p-19f, 4, 6}));
  EXPECT_THROW(G::add_to(sum, upload_as<T>(device, {{3}, {1, 2, 3}})), ShapeError);
}

}  // namespace
}  // namespace dformer::testing
