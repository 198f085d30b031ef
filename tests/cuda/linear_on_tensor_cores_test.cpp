// Linear layers in half and bfloat16 by the backend's own kernel, beside sums in double.
#include <cstdint>
#include <vector>

#include <backend/naive_linear.hpp>
#include <cuda/sixteen_bit.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

/// Some inputs and what they are side by side.
template <class T>
struct Inputs {
  std::vector<Array> parts;
  Array joined;

  Inputs(std::int64_t rows, const std::vector<std::int64_t>& channels) {
    std::int64_t depth = 0;
    for (const std::int64_t count : channels) {
      parts.push_back(rounded_to<T>(random_array({rows, count}, 10 + static_cast<unsigned>(parts.size()))));
      depth += count;
    }
    joined = Array{{rows, depth}, {}};
    for (std::int64_t row = 0; row < rows; ++row) {
      for (const Array& part : parts) {
        const auto from = part.values.begin() + row * part.shape.back();
        joined.values.insert(joined.values.end(), from, from + part.shape.back());
      }
    }
  }
  std::vector<cuda::Tensor<T>> on(const cuda::Device& device) const {
    std::vector<cuda::Tensor<T>> tensors;
    for (const Array& part : parts) tensors.push_back(upload_as<T>(device, part));
    return tensors;
  }
};

/// `rounded`: to the type of the result, as the library takes it.
enum class Bias : std::uint8_t { none, full, rounded };

/// The sums, of up to 1000 products below 1, are float32's; only the result is rounded.
template <class T>
void expect_linear(const std::vector<cuda::Device>& devices, std::int64_t rows,
                   const std::vector<std::int64_t>& channels, std::int64_t columns,
                   Bias with_bias = Bias::full) {
  const Inputs<T> inputs(rows, channels);
  const Array weight = rounded_to<T>(random_array({columns, inputs.joined.shape.back()}, 2));
  const Array bias = random_array({columns}, 3);
  NaiveEpilogue epilogue;
  if (with_bias != Bias::none) epilogue.shift = with_bias == Bias::full ? bias : rounded_to<T>(bias);
  const Array expected = naive_linear(inputs.joined, weight, epilogue);
  std::vector<float> first;
  for (const cuda::Device& device : devices) {
    const auto w = Cuda<T>::weight_from_host(device, WeightLayout::dense, weight.shape, weight.values);
    const auto b = Cuda<T>::weight_from_host(device, WeightLayout::plain, bias.shape, bias.values);
    const Array actual = download_from(
        Cuda<T>::linear(inputs.on(device), w, {.shift = with_bias == Bias::none ? cuda::Tensor<T>{} : b}));
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      const auto value = static_cast<double>(expected.values[i]);
      ASSERT_NEAR(actual.values[i], value, unit_roundoff<T> * std::abs(value) + 1e-5)
          << to_string(inputs.joined.shape) << " by " << to_string(weight.shape) << ", element " << i;
    }
    if (first.empty()) first = actual.values;
    EXPECT_EQ(actual.values, first) << "in another order of threads";
  }
}

TEST(LinearOnTensorCores, RaggedTiles) {
  expect_linear<half>(test_devices(), 1, {8}, 8);
  expect_linear<half>(test_devices(), 63, {40}, 72);
  expect_linear<half>(test_devices(), 65, {200}, 56);
  expect_linear<bfloat16>(test_devices(), 70, {136}, 24);
}
// Chunks of a tile of the depth come from different inputs.
TEST(LinearOnTensorCores, SeveralInputs) {
  expect_linear<half>(test_devices(), 67, {24, 8, 48, 16}, 40);
  expect_linear<bfloat16>(test_devices(), 20, {72, 96}, 64);
}
// Tiles of 64 and of 128 rows are for those that make many of them.
TEST(LinearOnTensorCores, ManyRows) {
  expect_linear<half>({cuda::default_device()}, 132 * 64 - 3, {24, 96}, 48);
  expect_linear<half>({cuda::default_device()}, 264 * 128 - 3, {16}, 48);
}
TEST(LinearOnTensorCores, ManyRowsAndColumns) {
  expect_linear<half>({cuda::default_device()}, 88 * 128 + 1, {16, 24}, 136);
}

// So many that the library is faster, which rounds the bias.
TEST(LinearOnTensorCores, WhatTheLibraryDoesFaster) {
  expect_linear<half>({cuda::default_device()}, 1025, {512}, 512, Bias::rounded);
  expect_linear<bfloat16>({cuda::default_device()}, 1025, {512}, 512, Bias::rounded);
  expect_linear<half>({cuda::default_device()}, 1025, {512}, 512, Bias::none);
}

// Other shapes go to the library, with five inputs or with channels that 16 bytes do not divide.
TEST(LinearOnTensorCores, WhatDoesNotFit) {
  expect_linear<half>({cuda::default_device()}, 9, {8, 8, 8, 8, 8}, 16, Bias::rounded);
  expect_linear<half>({cuda::default_device()}, 9, {12, 4}, 16, Bias::rounded);
  expect_linear<half>({cuda::default_device()}, 9, {8}, 12, Bias::rounded);
}

/// All parts of an epilogue, on sums that have not been rounded before it: as many roundings as one.
TEST(LinearOnTensorCores, EpilogueIsRoundedOnce) {
  const Shape shape{50, 80};
  const Inputs<half> inputs(50, {64});
  const Array weight = rounded_to<half>(random_array({80, 64}, 2));
  NaiveEpilogue naive = NaiveEpilogue::full(shape, Activation::gelu, Activation::relu);
  naive.multiply = rounded_to<half>(*naive.multiply);
  naive.residual = rounded_to<half>(*naive.residual);
  const Array expected = naive_linear(inputs.joined, weight, naive);
  const auto& device = cuda::default_device();
  const auto channels = [&](const Array& array) { return upload_channels<half>(array); };
  const auto w = Cuda<half>::weight_from_host(device, WeightLayout::dense, weight.shape, weight.values);
  const Array actual = download_from(Cuda<half>::linear(inputs.on(device), w,
                                                        {.scale = channels(*naive.scale),
                                                         .shift = channels(*naive.shift),
                                                         .activation = naive.activation,
                                                         .multiply = upload_as<half>(*naive.multiply),
                                                         .layer_scale = channels(*naive.layer_scale),
                                                         .residual = upload_as<half>(*naive.residual),
                                                         .final_activation = naive.final_activation}));
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const auto value = static_cast<double>(expected.values[i]);
    ASSERT_NEAR(actual.values[i], value, unit_roundoff<half> * std::abs(value) + 1e-5) << i;
  }
}

}  // namespace
}  // namespace dformer::testing
