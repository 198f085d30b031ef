#include <cuda/sixteen_bit.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

// Sums are float32 and differ from those of Cuda<float> only in their order: by at most n * 2^-24 of the sum
// of n magnitudes, which is below `order` for what is summed here.
namespace dformer::testing {
namespace {

constexpr double order = 2e-5;
constexpr float eps = 1e-3f;
/// In registers, one by one, and too many for registers.
constexpr std::int64_t counts_of_channels[] = {24, 13, 64, 96, 128, 320, 1288};

template <class T>
struct SixteenBitNorm : ::testing::Test {};
TYPED_TEST_SUITE(SixteenBitNorm, SixteenBitTypes);

template <class T>
void expect_layer_norm_rounded(const cuda::Device& device, const Shape& shape) {
  const std::int64_t channels = shape.back();
  const Array x = rounded_to<T>(random_array(shape, 1));
  const Array weight = random_array({channels}, 2), bias = random_array({channels}, 3);
  const Array expected =
      download(TestBackend::layer_norm(upload(device, x), upload(device, weight), upload(device, bias), eps));
  const Array actual = download_from(Cuda<T>::layer_norm(
      upload_as<T>(device, x), upload_channels<T>(device, weight), upload_channels<T>(device, bias), eps));
  expect_rounded<T>(actual, expected, order, to_string(shape));
}

TYPED_TEST(SixteenBitNorm, LayerNorm) {
  const cuda::Device device;
  for (const std::int64_t channels : counts_of_channels) {
    expect_layer_norm_rounded<TypeParam>(device, {9, channels});
  }
}

// So many rows that lanes have three, four and five packs each.
TYPED_TEST(SixteenBitNorm, LayerNormOfManyRows) {
  using Lanes = cuda::RowLanes;
  const cuda::Device device;
  int packs = 3;
  for (const std::int64_t channels : {96, 112, 288}) {
    const std::int64_t rows = (1 << 18) / Lanes::of<TypeParam>(channels).lanes + 1;
    EXPECT_EQ(Lanes::of_many<TypeParam>(rows, channels).packs, packs++);
    expect_layer_norm_rounded<TypeParam>(device, {rows, channels});
  }
}

TYPED_TEST(SixteenBitNorm, BatchNorm) {
  using T = TypeParam;
  const cuda::Device device;
  const Array x = rounded_to<T>(random_array({9, 24}, 1));
  const Array weight = random_array({24}, 2), bias = random_array({24}, 3);
  const auto norm = [&]<class S>(S) {
    const auto from = upload_as<S>(device, x);
    const auto statistics = Gradients<Cuda<S>>::batch_statistics(from);
    const auto affine =
        Cuda<S>::batch_norm_affine(upload_channels<S>(device, weight), upload_channels<S>(device, bias),
                                   statistics.mean, statistics.variance, eps);
    return download_from(Cuda<S>::scale_shift(from, affine.scale, affine.shift));
  };
  expect_rounded<T>(norm(T{}), norm(0.0f), order, "batch norm");
}

TYPED_TEST(SixteenBitNorm, Gradients) {
  using T = TypeParam;
  const cuda::Device device;
  for (const std::int64_t channels : counts_of_channels) {
    const Array x = rounded_to<T>(random_array({2, 9, channels}, 1));
    const Array dy = rounded_to<T>(random_array({2, 9, channels}, 2));
    const Array weight = random_array({channels}, 3);
    const auto layer_norm = [&]<class S>(S) {
      return Gradients<Cuda<S>>::layer_norm(upload_as<S>(device, x), upload_channels<S>(device, weight),
                                            upload_as<S>(device, dy), eps);
    };
    const auto batch_norm = [&]<class S>(S) {
      const auto from = upload_as<S>(device, x);
      return Gradients<Cuda<S>>::batch_norm(from, upload_channels<S>(device, weight),
                                            Gradients<Cuda<S>>::batch_statistics(from), eps,
                                            upload_as<S>(device, dy));
    };
    const auto expect = [&](const auto& actual, const auto& expected, const char* what) {
      expect_rounded<T>(download_from(actual.x), download(expected.x), order, what);
      // Gradients of parameters are not rounded.
      EXPECT_TRUE(actual.weight.is_full() && actual.bias.is_full());
      expect_close(download_from(actual.weight), download(expected.weight), order, what);
      expect_close(download_from(actual.bias), download(expected.bias), order, what);
    };
    expect(layer_norm(T{}), layer_norm(0.0f), "layer norm");
    expect(batch_norm(T{}), batch_norm(0.0f), "batch norm");
  }
}

TYPED_TEST(SixteenBitNorm, RunningStatisticsMustBeFloat32) {
  using T = TypeParam;
  const cuda::Device device;
  const auto rounded = upload_as<T>(device, {{1}, {2}});
  const auto full = upload_channels<T>(device, {{1}, {2}});
  EXPECT_THROW(Gradients<Cuda<T>>::update_statistics(rounded, full, {full, full}, 4, 0.1f), ShapeError);
  Gradients<Cuda<T>>::update_statistics(full, full, {full, full}, 4, 0.1f);
}

}  // namespace
}  // namespace dformer::testing
