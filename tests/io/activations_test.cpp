#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/io/activations.hpp>
#include <dformer/nn/conv2d.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/linear.hpp>
#include <dformer/nn/norm.hpp>

namespace dformer {
namespace {

/// Everything that an operation may have fused: a norm behind a convolution with a bias, an activation, a
/// residual; a layer that runs twice; a norm by itself.
template <class B_>
struct Net {
  using Backend = B_;
  using Tensor = typename B_::Tensor;

  Conv2d<B_, 3, 4, Window{.kernel = 3, .stride = 1, .padding = 1}> conv;
  BatchNorm2d<B_, 4> norm;
  Linear<B_, 4, 4> linear;
  BatchNorm2d<B_, 4> last;

  Tensor operator()(const Tensor& rgb, const Tensor&) const {
    const Tensor x = conv_norm(conv, norm, rgb, {.activation = Activation::relu});
    const Tensor y = linear(x, {.activation = Activation::gelu, .residual = x});
    return last(linear(y));
  }
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("conv", self.conv);
    visitor("norm", self.norm);
    visitor("linear", self.linear);
    visitor("last", self.last);
  }
};

using B = Cpu<>;
using Watched = Observe<B>;

std::vector<float> host(const B::Tensor& tensor) {
  return parity::to_host<B>(tensor).values;
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 1e-6f * (1 + std::abs(expected[i]))) << i;
}

TEST(Activations, AreWhatEachModuleGivesByItself) {
  const auto device = Watched::default_device();
  Net<Watched> net;
  Net<B> plain;
  for (auto [name, parameter] : parameters(net)) {
    if (parameter->kind() == ParameterKind::counter) continue;
    std::vector<float> values(static_cast<std::size_t>(parameter->shape().numel()));
    const NamedStream stream(name);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f + stream.uniform(i);
    parameter->set(Watched::weight_from_host(device, parameter->layout(), parameter->shape(), values));
    for (auto [other, same] : parameters(plain)) {
      if (other == name) same->set(B::weight_from_host(device, same->layout(), same->shape(), values));
    }
  }
  std::vector<float> pixels(2 * 5 * 4 * 3);
  const NamedStream stream("pixels");
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = stream.symmetric(i);
  const auto rgb = B::from_host(device, {2, 5, 4, 3}, pixels);

  std::vector<std::pair<std::string, std::vector<float>>> seen;
  const auto scores =
      observe_activations(net, rgb, rgb, [&](const std::string& name, const parity::HostTensor& tensor) {
        seen.emplace_back(name, tensor.values);
      });
  std::vector<std::string> names;
  for (const auto& [name, values] : seen) names.push_back(name);
  ASSERT_EQ(names, (std::vector<std::string>{"conv.weight", "norm.weight", "linear.weight", "linear.weight#2",
                                             "last.weight", "logits"}));

  // The same, one module after another, nothing fused.
  const auto convolved = plain.conv(rgb);
  const auto normalised = plain.norm(convolved);
  const auto x = B::activate(normalised, Activation::relu);
  const auto projected = plain.linear(x);
  const auto y = B::add(x, B::activate(projected, Activation::gelu));
  const auto again = plain.linear(y);
  const auto last = plain.last(again);
  expect_near(seen[0].second, host(convolved));
  expect_near(seen[1].second, host(normalised));
  expect_near(seen[2].second, host(projected));
  expect_near(seen[3].second, host(again));
  expect_near(seen[4].second, host(last));
  expect_near(seen[5].second, host(last));
  EXPECT_EQ(host(scores), seen[5].second);
}

}  // namespace
}  // namespace dformer
