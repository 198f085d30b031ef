#include <cuda/sixteen_bit.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

// Half and bfloat16 weights are trained through the float32 copies that a device with master_weights keeps.
namespace dformer::testing {
namespace {

template <class T>
struct MasterWeights : ::testing::Test {
  using G = Gradients<Cuda<T>>;
  using Tensor = cuda::Tensor<T>;

  const cuda::Device device{cuda::DeviceOptions{.master_weights = true}};
  const Array start = random_array({7, 19}, 1);
  const Array gradient = random_array({7, 19}, 2);

  Tensor weight(const Array& array) const {
    return Cuda<T>::weight_from_host(device, WeightLayout::dense, array.shape, array.values);
  }
  Tensor full(const Array& array) const { return upload_channels<T>(device, array); }
  testing::Tensor reference(const Array& array) const { return testing::upload(device, array); }

  /// The master is what float32 training gives, and the weight is that, rounded.
  void expect_trained(const Tensor& weight, const testing::Tensor& expected) const {
    const Array values = testing::download(expected);
    EXPECT_EQ(testing::download(*weight.master()).values, values.values);
    EXPECT_EQ(download_from(weight).values, rounded_to<T>(values).values);
  }
};
TYPED_TEST_SUITE(MasterWeights, SixteenBitTypes);

/// Steps far smaller than what T resolves add up.
TYPED_TEST(MasterWeights, AdamW) {
  using G = typename TestFixture::G;
  using F = Gradients<TestBackend>;
  auto value = this->weight(this->start);
  auto expected = this->reference(this->start);
  const auto another = value;
  auto mean = G::zeros_like(value), squares = G::zeros_like(value);
  auto expected_mean = F::zeros_like(expected), expected_squares = F::zeros_like(expected);
  EXPECT_TRUE(mean.is_full());
  for (int step = 1; step <= 3; ++step) {
    G::adamw(value, this->full(this->gradient), mean, squares, {.lr = 1e-5, .step = step});
    F::adamw(expected, this->reference(this->gradient), expected_mean, expected_squares,
             {.lr = 1e-5, .step = step});
  }
  this->expect_trained(another, expected);
}

TYPED_TEST(MasterWeights, Sgd) {
  using G = typename TestFixture::G;
  using F = Gradients<TestBackend>;
  auto value = this->weight(this->start);
  auto expected = this->reference(this->start);
  auto buffer = G::zeros_like(value);
  auto expected_buffer = F::zeros_like(expected);
  for (const bool first : {true, false}) {
    G::sgd(value, this->full(this->gradient), buffer, {.lr = 1e-4, .first = first});
    F::sgd(expected, this->reference(this->gradient), expected_buffer, {.lr = 1e-4, .first = first});
  }
  this->expect_trained(value, expected);
}

/// As WeightAverage does it: the average begins as a copy of the weight.
TYPED_TEST(MasterWeights, Average) {
  using G = typename TestFixture::G;
  auto average = G::scaled(this->weight(this->start), 1.0f);
  auto expected = this->reference(this->start);
  G::average_to(average, this->weight(this->gradient), 0.999);
  Gradients<TestBackend>::average_to(expected, this->reference(this->gradient), 0.999);
  this->expect_trained(average, expected);
}

TYPED_TEST(MasterWeights, ParametersOfChannelsNeedNone) {
  using G = typename TestFixture::G;
  const cuda::Device without;
  auto value = upload_channels<TypeParam>(without, {{2}, {1, 2}});
  decltype(value) none;
  G::sgd(value, upload_channels<TypeParam>(without, {{2}, {0x1p-20f, 1}}), none, {.lr = 1, .momentum = 0});
  EXPECT_EQ(download_from(value).values, (std::vector<float>{1 - 0x1p-20f, 1}));
}

TYPED_TEST(MasterWeights, AreAskedFor) {
  using T = TypeParam;
  using G = typename TestFixture::G;
  const cuda::Device without;
  const Array ones{{2, 1}, {1, 1}};
  auto value = Cuda<T>::weight_from_host(without, WeightLayout::dense, ones.shape, ones.values);
  auto moments = G::zeros_like(value);
  const auto message = [&](const auto& call) {
    try {
      call();
    } catch (const ArgumentError& error) {
      return std::string(error.what());
    }
    return std::string("no ArgumentError");
  };
  EXPECT_EQ(
      message([&] { G::adamw(value, moments, moments, moments, {.lr = 0.1}); }),
      "[adamw] a 16-bit weight (2, 1) has no float32 copy for optimisers to change; make the device that "
      "the network is on with {.master_weights = true}");
  EXPECT_EQ(message([&] { G::average_to(value, value, 0.5); }).substr(0, 12), "[average_to]");
  auto trained = this->weight(ones);
  EXPECT_THROW(G::sgd(trained, upload_as<T>(this->device, ones), moments, {.lr = 0.1}), ShapeError);
}

}  // namespace
}  // namespace dformer::testing
