#include <cstddef>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>
#include <support/small_network.hpp>

#include <dformer/nn/concurrently.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer::testing {
namespace {

/// Takes image pairs as the networks do.
template <class B>
struct PairNetwork {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, 4, 8> first;
  Linear<B, 8, 3> second;
  mutable int calls = 0;

  Tensor operator()(const Tensor& rgb, const Tensor& depth) const {
    ++calls;
    return second(first({rgb, depth}, {.activation = Activation::relu}));
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("first", self.first);
    visitor("second", self.second);
  }
};

template <class B>
std::vector<float> host_values(const typename B::Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape().numel()));
  B::to_host(tensor, values);
  return values;
}

/// Image pairs of this size through a captured network and through the network itself, bit by bit.
template <class Network, class Captured>
void expect_same_results(const Network& net, Captured& captured, const cuda::CapturedSize& size) {
  using B = typename Network::Backend;
  const auto [images, height, width] = size;
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Array rgb = random_array({images, height, width, 3}, seed);
    const Array depth = random_array({images, height, width, 1}, seed + 10);
    const std::vector<float> result = host_values<B>(captured(rgb.values, depth.values));
    const std::vector<float> expected =
        host_values<B>(net(B::from_host(captured.device(), rgb.shape, rgb.values),
                           B::from_host(captured.device(), depth.shape, depth.values)));
    EXPECT_EQ(result, expected) << "pair " << seed;
    EXPECT_EQ(host_values<B>(captured()), expected) << "pair " << seed << " again";
  }
}

/// A network captured on a device.
template <class Network>
void expect_captured_to_agree(const cuda::Device& device, const cuda::CapturedSize& size) {
  Network net;
  initialize(net, 1, device);
  cuda::Captured captured(net, size);
  expect_same_results(net, captured, size);
}

template <class T>
class CapturedNetwork : public ::testing::Test {};
using Types = ::testing::Types<float, half, bfloat16>;
TYPED_TEST_SUITE(CapturedNetwork, Types);

TYPED_TEST(CapturedNetwork, GivesWhatTheNetworkGives) {
  PairNetwork<Cuda<TypeParam>> net;
  initialize(net, 1, cuda::Device());
  const cuda::CapturedSize size{2, 3, 5};
  cuda::Captured captured(net, size);
  EXPECT_EQ(net.calls, 2);
  expect_same_results(net, captured, size);
  EXPECT_EQ(net.calls, 5);  // the three are those that were not captured
}

/// In 16 bits the emulation takes long, so there it is one.
template <class T>
std::vector<cuda::Device> some_devices() {
  auto devices = test_devices();
  if (!std::is_same_v<T, float>) devices.erase(devices.begin(), devices.end() - 1);
  return devices;
}

/// With norms, whose scales and shifts are computed at each call, and with parts that go on side by side: on
/// the emulation in each order that the graph leaves open.
TYPED_TEST(CapturedNetwork, OfTheLibraryGivesWhatItGives) {
  for (const auto& device : some_devices<TypeParam>()) {
    expect_captured_to_agree<SmallNetwork<Cuda<TypeParam>>>(device, {1, 32, 32});
  }
}

/// Takes image pairs, and makes and frees tensors of one size in parts that go on side by side: memory that
/// one part frees must not be another's.
template <class B>
struct BranchingNetwork {
  using Backend = B;
  using Tensor = typename B::Tensor;

  Linear<B, 4, 8> first;
  Linear<B, 8, 8> second;

  Tensor operator()(const Tensor& rgb, const Tensor& depth) const {
    Tensor x = first({rgb, depth});
    Tensor parts[3];
    const auto part = [&](std::size_t number) {
      return [&, number] {
        Tensor y = x;
        for (std::size_t step = 0; step <= number + 2; ++step) y = second(y, {.residual = x});
        concurrently<B>(
            x, [&] { y = second(y); }, [&] { parts[number] = second(x); });
        parts[number] = second(y, {.residual = parts[number]});
      };
    };
    concurrently<B>(x, part(0), part(1), [&] {
      part(2)();
      x = {};  // which the others may still read
      parts[2] = second(second(parts[2]));
    });
    return second(parts[0], {.multiply = parts[1], .residual = parts[2]});
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("first", self.first);
    visitor("second", self.second);
  }
};

TYPED_TEST(CapturedNetwork, OfPartsSideBySide) {
  for (const auto& device : some_devices<TypeParam>()) {
    expect_captured_to_agree<BranchingNetwork<Cuda<TypeParam>>>(device, {1, 6, 7});
  }
}

/// Whether in the first call, which is not recorded, or in the second.
TYPED_TEST(CapturedNetwork, LeavesTheDeviceUsableWhenAPartThrows) {
  using B = Cuda<TypeParam>;
  using Failing = cuda::Captured<TypeParam, cuda::Tensor<TypeParam>>;
  const cuda::Device device;
  const cuda::Stream own = device.stream();
  for (const int failing_call : {1, 2}) {
    int calls = 0;
    const auto fails = [&](const auto& rgb, const auto&) {
      ++calls;
      concurrently<B>(
          rgb, [&] { B::softmax(rgb); },
          [&] {
            B::softmax(rgb);
            if (calls == failing_call) throw std::runtime_error("a part failed");
          });
      return rgb;
    };
    EXPECT_THROW(Failing(device, fails, {1, 2, 3}), std::runtime_error);
    EXPECT_EQ(device.stream(), own);
    expect_captured_to_agree<PairNetwork<B>>(device, {1, 4, 6});
  }
}

/// What is computed of a result has memory of its own.
TYPED_TEST(CapturedNetwork, LeavesWhatWasMadeOfItsResults) {
  using B = Cuda<TypeParam>;
  PairNetwork<B> net;
  initialize(net, 1);
  cuda::Captured captured(net, {1, 4, 6});
  const auto next = [&](unsigned seed) {
    return captured(random_array({1, 4, 6, 3}, seed).values, random_array({1, 4, 6, 1}, seed + 10).values);
  };
  std::vector<typename B::Tensor> made;
  for (int i = 0; i < 4; ++i) made.push_back(B::softmax(next(1)));
  const std::vector<float> before = host_values<B>(made[0]);
  next(2);
  for (const auto& tensor : made) EXPECT_EQ(host_values<B>(tensor), before);
}

TYPED_TEST(CapturedNetwork, TakesNoMemoryAfterTheFirstPair) {
  using B = Cuda<TypeParam>;
  PairNetwork<B> net;
  initialize(net, 1);
  cuda::Captured captured(net, {1, 4, 6});
  const Array rgb = random_array({1, 4, 6, 3}, 1), depth = random_array({1, 4, 6, 1}, 2);
  const MemoryUse before = captured.device().memory().use();
  for (int i = 0; i < 5; ++i) captured(rgb.values, depth.values);
  const MemoryUse after = captured.device().memory().use();
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_EQ(after.peak, before.peak);
  EXPECT_EQ(after.reserved, before.reserved);
}

/// Parameters that were replaced live on in the graph, and their memory is nobody else's.
TYPED_TEST(CapturedNetwork, KeepsTheParametersThatItWasRecordedWith) {
  using B = Cuda<TypeParam>;
  PairNetwork<B> net;
  const cuda::Device device;
  initialize(net, 1, device);
  cuda::Captured captured(net, {1, 4, 6});
  const Array rgb = random_array({1, 4, 6, 3}, 1), depth = random_array({1, 4, 6, 1}, 2);
  const std::vector<float> before = host_values<B>(captured(rgb.values, depth.values));
  initialize(net, 2, device);
  std::vector<typename B::Tensor> taken;  // whatever was given back
  for (int i = 0; i < 20; ++i) taken.push_back(B::from_host(device, {4, 4, 4}, std::vector<float>(64, 9.0f)));
  EXPECT_EQ(host_values<B>(captured(rgb.values, depth.values)), before);
}

TEST(Captured, PartsHaveAStreamEach) {
  const cuda::Device device;
  std::set<cuda::Stream> streams;
  const auto note = [&] { streams.insert(device.stream()); };
  const auto three_parts = [&](const cuda::Tensor<float>& rgb, const cuda::Tensor<float>&) {
    streams.clear();
    device.concurrently(note, note, [&] { device.concurrently(note, note); });
    return rgb;
  };
  const cuda::Tensor<float> x(device, {1, 2, 3, 3});
  three_parts(x, x);
  EXPECT_EQ(streams, std::set{device.stream()});
  const cuda::Captured<float, cuda::Tensor<float>> captured(device, three_parts, {1, 2, 3});
  EXPECT_EQ(streams.size(), 3u);
  EXPECT_TRUE(streams.contains(device.stream()));
}

TEST(Captured, RejectsPairsOfAnotherSize) {
  PairNetwork<TestBackend> net;
  initialize(net, 1);
  cuda::Captured captured(net, {1, 2, 2});
  const std::vector<float> rgb(12), depth(4);
  EXPECT_THROW(captured(depth, depth), ShapeError);
  EXPECT_THROW(captured(rgb, rgb), ShapeError);
  EXPECT_NO_THROW(captured(rgb, depth));
}

/// A network that asks for a value while it is recorded would be replayed with that value for ever.
TEST(Captured, RejectsNetworksThatNeedTheHost) {
  PairNetwork<TestBackend> net;
  initialize(net, 1);
  const auto asks = [&](const Tensor& rgb, const Tensor& depth) {
    const Tensor y = net(rgb, depth);
    return TestBackend::from_host(y.device(), {1}, std::vector<float>{host_values<TestBackend>(y)[0]});
  };
  using Asking = cuda::Captured<float, Tensor>;
  EXPECT_THROW(Asking(device_of(net), asks, cuda::CapturedSize{1, 2, 2}), CudaError);
}

TEST(Captured, RunsOnTheNetworksDevice) {
  if (cuda::runtime::device_count() < 2) GTEST_SKIP() << "one GPU";
  PairNetwork<TestBackend> net;
  const cuda::Device device({.ordinal = 1});
  initialize(net, 1, device);
  cuda::Captured captured(net, {1, 2, 2});
  EXPECT_EQ(captured.device(), device);
  PairNetwork<TestBackend> other;
  initialize(other, 1, cuda::Device());  // on GPU 0, which is the current one now
  const std::vector<float> rgb(12, 0.5f), depth(4, 0.5f);
  EXPECT_EQ(host_values<TestBackend>(captured(rgb, depth)),
            host_values<TestBackend>(net(TestBackend::from_host(device, {1, 2, 2, 3}, rgb),
                                         TestBackend::from_host(device, {1, 2, 2, 1}, depth))));
}

}  // namespace
}  // namespace dformer::testing
