#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/storage.hpp>

namespace dformer::cpu {
namespace {

TEST(Tensor, CopiesShareElementsAndReturnThemTogether) {
  const Device device({.threads = 1});
  {
    Tensor<float> a(device, {2, 3});
    const Tensor<float> b = a;
    a.data()[5] = 7;
    EXPECT_EQ(b.data()[5], 7);
    EXPECT_GT(device.memory().use().in_use, 0u);
  }
  EXPECT_EQ(device.memory().use().in_use, 0u);
}

TEST(Tensor, OutlivesTheDeviceThatMadeIt) {
  auto device = std::make_unique<Device>(DeviceOptions{.threads = 1});
  Tensor<float> tensor(*device, {1000});
  device.reset();
  tensor.data()[999] = 1;
  EXPECT_EQ(tensor.device().threads(), 1);
}

TEST(Tensor, EmptyHandleIsFalse) {
  Tensor<float> a;
  EXPECT_FALSE(a);
  a = Tensor<float>(Device({.threads = 1}), {1});
  EXPECT_TRUE(a);
  const Tensor<float> b = std::move(a);
  EXPECT_TRUE(b);
  EXPECT_FALSE(a);  // NOLINT: a moved-from handle is empty
}

using Storage = StorageOps<float>;

void expect_round_trip(WeightLayout layout, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), 1.0f);
  const Tensor<float> weight = Storage::weight_from_host(default_device(), layout, shape, values);
  EXPECT_EQ(weight.shape(), shape);
  std::vector<float> back(values.size());
  Storage::weight_to_host(weight, layout, back);
  EXPECT_EQ(back, values);
}

TEST(Weights, ComeBackAsTheyWere) {
  expect_round_trip(WeightLayout::plain, {7});
  expect_round_trip(WeightLayout::dense, {40, 3});
  expect_round_trip(WeightLayout::dense, {17, 5, 3, 3});
  expect_round_trip(WeightLayout::depthwise, {6, 1, 7, 7});
}

// Output channel 17 of 18 stands second in the second panel; input channels run faster than the window.
TEST(Weights, DenseOrder) {
  const Shape shape{18, 2, 1, 3};
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), 0.0f);
  const Tensor<float> weight =
      Storage::weight_from_host(default_device(), WeightLayout::dense, shape, values);
  const std::size_t panel = 6 * 16;
  EXPECT_EQ(weight.elements(), static_cast<std::int64_t>(2 * panel));
  EXPECT_EQ(weight.data()[panel + 1 + 16 * (2 * 2 + 1)], values[17 * 6 + 1 * 3 + 2]);
  EXPECT_EQ(weight.data()[panel + 2], 0.0f) << "a channel that is missing from the last panel";
}

TEST(Storage, RefusesAnotherNumberOfValues) {
  const std::vector<float> values(5);
  EXPECT_THROW(Storage::from_host(default_device(), {2, 3}, values), ShapeError);
  std::vector<float> out(5);
  EXPECT_THROW(Storage::to_host(Tensor<float>(default_device(), {2, 3}), out), ShapeError);
  EXPECT_THROW(Storage::reshape(Tensor<float>(default_device(), {2, 3}), {7}), ShapeError);
}

}  // namespace
}  // namespace dformer::cpu
