#include <cmath>
#include <memory>

#include <autodiff/golden_gradients.hpp>

#include <dformer/backend/autodiff/check_gradients.hpp>
#include <dformer/blocks/dformer_block.hpp>
#include <dformer/nn/share.hpp>

namespace dformer::testing {
namespace {

using Plain = Cpu<double>;
using B = Autodiff<Plain>;
using T = B::Tensor;

T leaf(const Shape& shape, const char* name, WeightLayout layout = WeightLayout::plain) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  const NamedStream stream(name);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 2.0f * stream.uniform(i) - 1.0f;
  return B::leaf(B::weight_from_host(B::default_device(), layout, shape, values));
}

// Differences of second order, in a double's arithmetic but through floats at both ends.
constexpr double difference_tolerance = 2e-4;

void expect_right(const GradientCheck& found) {
  EXPECT_LT(found.worst, difference_tolerance) << found.variable << "[" << found.element << "]: derivative "
                                               << found.derivative << ", difference " << found.difference;
}

TEST(Autodiff, EveryPartOfAnEpilogueHasItsDerivative) {
  T x = leaf({2, 3, 4, 6}, "x"), w = leaf({5, 6}, "w", WeightLayout::dense), shift = leaf({5}, "shift");
  T scale = leaf({5}, "scale"), layer_scale = leaf({5}, "layer_scale");
  T multiply = leaf({2, 3, 4, 5}, "multiply"), residual = leaf({2, 3, 4, 5}, "residual");
  const std::vector<GradientCheckVariable<Plain>> variables{{"x", &x},
                                                            {"w", &w, WeightLayout::dense},
                                                            {"shift", &shift},
                                                            {"scale", &scale},
                                                            {"multiply", &multiply},
                                                            {"layer_scale", &layer_scale},
                                                            {"residual", &residual}};
  const auto check = [&](const auto& epilogue) {
    expect_right(check_gradients<Plain>(variables,
                                        [&] { return B::linear(std::span<const T>(&x, 1), w, epilogue()); }));
  };
  using E = Epilogue<T>;
  check([&] { return E{.shift = shift}; });
  check([&] { return E{.shift = shift, .activation = Activation::gelu}; });
  check([&] { return E{.shift = shift, .activation = Activation::sigmoid, .residual = residual}; });
  check([&] { return E{.shift = shift, .residual = residual}; });
  check([&] { return E{.shift = shift, .residual = residual, .final_activation = Activation::gelu}; });
  check([&] { return E{.scale = scale, .shift = shift, .activation = Activation::gelu}; });
  check([&] { return E{.scale = scale, .layer_scale = layer_scale, .residual = residual}; });
  check([&] {
    return E{.scale = scale,
             .shift = shift,
             .activation = Activation::gelu,
             .multiply = multiply,
             .layer_scale = layer_scale,
             .drop_path = 0.5f,
             .residual = residual,
             .final_activation = Activation::sigmoid};
  });
}

TEST(Autodiff, EveryOperationHasItsDerivative) {
  T a = leaf({2, 5, 6, 4}, "a"), b = leaf({2, 5, 6, 4}, "b"), c = leaf({4}, "c"), d = leaf({4}, "d");
  T w = leaf({3, 4, 3, 3}, "w", WeightLayout::dense), dw = leaf({4, 1, 5, 5}, "dw", WeightLayout::depthwise);
  const auto check = [&](const std::vector<GradientCheckVariable<Plain>>& variables, const auto& function) {
    expect_right(check_gradients<Plain>(variables, function));
  };
  check({{"a", &a}, {"b", &b}}, [&] { return B::add(a, B::add(a, b)); });
  check({{"a", &a}, {"b", &b}}, [&] { return B::multiply(a, b); });
  check({{"a", &a}}, [&] { return B::multiply(a, a); });
  check({{"a", &a}, {"b", &b}}, [&] {
    const T both[] = {a, b, a};
    return B::concat(both);
  });
  for (Activation activation : {Activation::gelu, Activation::sigmoid})
    check({{"a", &a}}, [&] { return B::activate(a, activation); });
  check({{"a", &a}}, [&] { return B::softmax(a); });
  check({{"a", &a}}, [&] { return B::select_channels(a, 1, 2); });
  check({{"a", &a}}, [&] { return B::select_channels(a, -1, 4); });
  check({{"a", &a}}, [&] { return B::select_channels(a, 2, 5); });
  T spatial = leaf({2, 1, 1, 4}, "spatial"), channel = leaf({2, 1, 1, 4}, "channel");
  check({{"a", &a}, {"spatial", &spatial}, {"channel", &channel}},
        [&] { return B::gate(a, spatial, channel, 0.6f); });
  check({{"a", &a}, {"c", &c}, {"d", &d}}, [&] { return B::layer_norm(a, c, d, 1e-5f); });
  check({{"a", &a}, {"c", &c}, {"d", &d}}, [&] { return B::scale_shift(a, c, d); });
  check({{"a", &a}}, [&] { return B::dropout2d(a, 0.5f); });
  check({{"a", &a}}, [&] { return B::resize_bilinear(a, 8, 3, false); });
  check({{"a", &a}}, [&] { return B::resize_bilinear(a, 3, 11, true); });
  check({{"a", &a}, {"b", &b}}, [&] {
    const T both[] = {a, b};
    return B::adaptive_avg_pool(both, 3, 4);
  });
  check({{"a", &a}}, [&] { return B::reshape(a, {2, 30, 4}); });
  check({{"a", &a}, {"w", &w, WeightLayout::dense}},
        [&] { return B::conv2d(a, w, {.kernel = 3, .stride = 2, .padding = 1}, {}); });
  check({{"a", &a}, {"dw", &dw, WeightLayout::depthwise}},
        [&] { return B::depthwise_conv2d(a, dw, {.kernel = 5, .padding = 2}, {}); });
  const T mean(B::from_host(B::default_device(), {4}, std::vector<float>(4)));
  const T variance(B::from_host(B::default_device(), {4}, std::vector<float>(4, 1.0f)));
  check({{"a", &a}, {"c", &c}, {"d", &d}}, [&] {
    return B::batch_norm(a, c, d, mean, variance, 1e-3f, 0.1f, {.activation = Activation::gelu});
  });
}

TEST(Autodiff, EveryAttentionHasItsDerivative) {
  T q = leaf({2, 7, 8}, "q"), kv = leaf({2, 9, 16}, "kv");
  expect_right(
      check_gradients<Plain>({{"q", &q}, {"kv", &kv}}, [&] { return B::attention(q, kv, 2, 0.5f); }));

  T x = leaf({2, 4, 5, 8}, "x"), k = leaf({2, 4, 5, 8}, "k"), v = leaf({2, 4, 5, 8}, "v");
  T weight = leaf({2, 1, 1, 1}, "weight");
  const auto constant = [](const T& tensor) { return T(tensor.value()); };
  const T angle = constant(leaf({4}, "angle")), depth = constant(leaf({2, 4, 5, 1}, "depth"));
  const T decay = constant(leaf({2}, "decay"));
  expect_right(check_gradients<Plain>({{"x", &x}}, [&] { return B::rotary(x, angle, 2, 0.7f); }));
  for (auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
    expect_right(check_gradients<Plain>({{"q", &x}, {"k", &k}, {"v", &v}, {"weight", &weight}}, [&] {
      return B::geometry_attention(x, k, v, {depth, weight, decay}, 2, kind);
    }));
  }
}

TEST(Autodiff, TheFactorizationHasItsDerivative) {
  T x = leaf({2, 12, 6}, "x"), bases = leaf({1, 6, 3}, "bases");
  const T positive = B::activate(T(bases.value()), Activation::sigmoid);
  expect_right(check_gradients<Plain>(
      {{"x", &x}}, [&] { return B::nmf(B::activate(x, Activation::sigmoid), positive, 4, 1.0f); }));
}

// Nothing is saved of what needs no gradient.
TEST(Autodiff, ConstantsAreNotRecorded) {
  const T a(leaf({2, 3}, "a").value());
  EXPECT_FALSE(B::add(a, B::multiply(a, a)).is_tracked());
  EXPECT_TRUE(B::add(a, leaf({2, 3}, "b")).is_tracked());
}

TEST(Autodiff, GradientsOfRepeatedUseAddUp) {
  const T a = leaf({2, 3}, "a");
  autodiff::LeafGradients<Plain> gradients;
  const std::vector<float> ones(6, 1.0f);
  for (int pass = 0; pass < 2; ++pass)
    backward(B::add(B::add(a, a), a), Plain::from_host(Plain::default_device(), {2, 3}, ones), gradients);
  std::vector<float> values(6);
  Plain::to_host(gradients.of(a), values);
  EXPECT_EQ(values, std::vector<float>(6, 6.0f));
}

TEST(Autodiff, SweepsARecordOnce) {
  const T a = leaf({2, 3}, "a");
  const T y = B::add(a, a);
  autodiff::LeafGradients<Plain> gradients;
  backward(y, y.value(), gradients);
  EXPECT_THROW(backward(y, y.value(), gradients), ArgumentError);
  EXPECT_THROW(backward(T(a.value()), a.value(), gradients), ArgumentError);
  EXPECT_THROW(backward(a, Plain::from_host(a.device(), {3}, std::vector<float>(3)), gradients), ShapeError);
}

// A chain as long as no network's: neither the sweep nor the release of what was never swept may recurse.
TEST(Autodiff, DepthDoesNotRecurse) {
  const T a = leaf({1}, "a");
  const auto deep = [&] {
    T y = a;
    for (int i = 0; i < 300000; ++i) y = B::add(y, a);
    return y;
  };
  deep();
  const T y = deep();
  autodiff::LeafGradients<Plain> gradients;
  backward(y, Plain::from_host(a.device(), {1}, std::vector<float>{1.0f}), gradients);
  std::vector<float> value(1);
  Plain::to_host(gradients.of(a), value);
  EXPECT_EQ(value[0], 300001.0f);
}

TEST(Autodiff, DropPathKeepsTheMeanAndIsDecidedBySeedAndStep) {
  const T x = leaf({1000, 2}, "x");
  const auto dropped = [&](std::uint64_t seed, std::uint64_t step) {
    const autodiff::ForwardRandom random(seed, step);
    std::vector<float> values(2000);
    Plain::to_host(autodiff::drop_path(B::activate(x, Activation::sigmoid), 0.3f).value(), values);
    return values;
  };
  const auto values = dropped(1, 5);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    EXPECT_EQ(values[i] == 0.0f, values[i + 1] == 0.0f);
    left_out += values[i] == 0.0f;
  }
  EXPECT_NEAR(static_cast<double>(left_out), 300.0, 60.0);
  EXPECT_EQ(values, dropped(1, 5));
  EXPECT_NE(values, dropped(1, 6));
  EXPECT_NE(values, dropped(2, 5));
  EXPECT_THROW(autodiff::drop_path(x, 1.0f), ArgumentError);
}

TEST(ShareParameters, WhatTrainsOneChangesTheOther) {
  using Block = DFormerBlock<Recorded<Training>, 16, 2, 7, 4>;
  Block training;
  initialize(training, 1);
  DFormerBlock<TestBackend, 16, 2, 7, 4> inferring;
  share_parameters(training, inferring);
  const auto before = download(inferring.layer_scale_1.value()).values;
  auto scale = training.layer_scale_1.value().value();
  scale.data()[0] = 3.0f;
  EXPECT_EQ(download(inferring.layer_scale_1.value()).values[0], 3.0f);
  EXPECT_NE(before[0], 3.0f);

  DFormerBlock<TestBackend, 16, 1, 0, 4> other;
  EXPECT_THROW(share_parameters(training, other), ArgumentError);
  DFormerBlock<Recorded<Training>, 16, 2, 7, 4> unset;
  EXPECT_THROW(share_parameters(unset, inferring), UnsetParameterError);
}

}  // namespace
}  // namespace dformer::testing
