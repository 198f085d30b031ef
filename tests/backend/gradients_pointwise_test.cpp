#include <array>
#include <functional>
#include <limits>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

Array activation_gradient(const TestBackend::Device& device, const Array& saved, Activation activation,
                          const Array& dy) {
  return download(TestGradients::activation(upload(device, saved), activation, upload(device, dy)));
}

double derivative(double x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? 1 : 0;
    case Activation::gelu:
      return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) +
             x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
    case Activation::sigmoid:
      return 1 / ((1 + std::exp(-x)) * (1 + std::exp(x)));
    case Activation::none:
      break;
  }
  return 1;
}

/// What the operation needs of the forward pass.
Array saved_of(const Array& x, Activation activation) {
  Array saved = x;
  if (activation == Activation::gelu) return saved;
  for (float& value : saved.values) {
    value = static_cast<float>(NaiveEpilogue::activate(static_cast<double>(value), activation));
  }
  return saved;
}

constexpr Activation activations[] = {Activation::none, Activation::relu, Activation::gelu,
                                      Activation::sigmoid};

TEST(ActivationGradient, MatchesReference) {
  const std::vector<std::pair<const char*, Activation>> functions{
      {"ops/relu", Activation::relu}, {"ops/gelu", Activation::gelu}, {"ops/sigmoid", Activation::sigmoid}};
  for (const auto& [name, activation] : functions) {
    const Golden golden(name);
    const Array expected = golden.array("grad.input.x");
    const Array saved = golden.array(activation == Activation::gelu ? "input.x" : "output");
    for (const auto& device : test_devices()) {
      expect_close(activation_gradient(device, saved, activation, golden.array("grad_output")), expected,
                   op_tolerance(expected), name);
    }
  }
}

TEST(ActivationGradient, EveryLength) {
  for (const Activation activation : activations) {
    for (std::int64_t length : {1, 2, 7, 15, 16, 17, 31, 33, 4096, 4103, 20001}) {
      Array x = random_array({length}, 1);
      for (float& value : x.values) value *= 6.0f;
      const Array dy = random_array({length}, 2);
      Array expected = dy;
      for (std::size_t i = 0; i < x.values.size(); ++i) {
        expected.values[i] = static_cast<float>(static_cast<double>(dy.values[i]) *
                                                derivative(static_cast<double>(x.values[i]), activation));
      }
      for (const auto& device : test_devices()) {
        expect_close(activation_gradient(device, saved_of(x, activation), activation, dy), expected, 1e-6,
                     to_string(x.shape));
      }
    }
  }
}

TEST(ActivationGradient, Extremes) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Array x{{6}, {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e30f, -1e30f, 0.0f}};
  const Array ones{{6}, std::vector<float>(6, 1.0f)};
  for (const auto& device : test_devices()) {
    const std::vector<float> relu = activation_gradient(device, x, Activation::relu, ones).values;
    EXPECT_EQ(relu, (std::vector<float>{1, 0, 1, 1, 0, 0}));
    const std::vector<float> gelu = activation_gradient(device, x, Activation::gelu, ones).values;
    EXPECT_EQ(gelu[0], 1.0f);
    EXPECT_EQ(gelu[1], 0.0f);
    EXPECT_TRUE(std::isnan(gelu[2]));
    EXPECT_EQ(gelu[3], 1.0f);
    EXPECT_EQ(gelu[4], 0.0f);
    EXPECT_EQ(gelu[5], 0.5f);
  }
}

TEST(SoftmaxGradient, MatchesReference) {
  for (const char* name : {"ops/softmax_last", "ops/softmax_dim1"}) {
    const Golden golden(name);
    const bool last = golden.json("attrs")["dim"] == -1;
    const auto array = [&](const char* key) { return last ? golden.array(key) : golden.nhwc(key); };
    const Array expected = array("grad.input.x");
    for (const auto& device : test_devices()) {
      const Array dx = download(
          TestGradients::softmax(upload(device, array("output")), upload(device, array("grad_output"))));
      expect_close(dx, expected, op_tolerance(expected), name);
    }
  }
}

TEST(SoftmaxGradient, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 70; ++channels) {
    const Array y = random_array({3, channels}, 1), dy = random_array({3, channels}, 2);
    Array expected = y;
    const auto count = static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      double sum = 0;
      for (std::size_t c = i / count * count; c < (i / count + 1) * count; ++c) {
        sum += static_cast<double>(y.values[c]) * static_cast<double>(dy.values[c]);
      }
      expected.values[i] =
          static_cast<float>(static_cast<double>(y.values[i]) * (static_cast<double>(dy.values[i]) - sum));
    }
    for (const auto& device : test_devices()) {
      expect_close(download(TestGradients::softmax(upload(device, y), upload(device, dy))), expected,
                   op_tolerance(expected), to_string(y.shape));
    }
  }
}

TEST(ChannelSums, EveryShape) {
  for (const std::int64_t rows : {1, 7, 64, 1003, 9001}) {
    for (const std::int64_t channels : {1, 2, 3, 8, 16, 37, 40, 75}) {
      const Array a = random_array({rows, channels}, 1), b = random_array({rows, channels}, 2);
      std::vector<double> sums(static_cast<std::size_t>(channels)), products = sums;
      for (std::size_t i = 0; i < a.values.size(); ++i) {
        sums[i % sums.size()] += static_cast<double>(a.values[i]);
        products[i % sums.size()] += static_cast<double>(a.values[i]) * static_cast<double>(b.values[i]);
      }
      for (const auto& device : test_devices()) {
        const Array s = download(TestGradients::channel_sums(upload(device, a)));
        const Array p = download(TestGradients::channel_products(upload(device, a), upload(device, b)));
        ASSERT_EQ(to_string(s.shape), to_string(Shape{channels}));
        for (std::size_t c = 0; c < sums.size(); ++c) {
          // Held in double, so that only the result is rounded.
          ASSERT_FLOAT_EQ(s.values[c], static_cast<float>(sums[c]));
          ASSERT_FLOAT_EQ(p.values[c], static_cast<float>(products[c]));
        }
      }
    }
  }
}

TEST(ScaleChannels, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 40; ++channels) {
    const Array x = random_array({7, channels}, 1), scale = random_array({channels}, 2);
    Array expected = x;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      expected.values[i] *= scale.values[i % scale.values.size()];
    }
    for (const auto& device : test_devices()) {
      EXPECT_EQ(download(TestGradients::scale_channels(upload(device, x), upload(device, scale))).values,
                expected.values);
    }
  }
}

TEST(ScaleSamples, AFactorForEachSampleOrChannel) {
  for (const Shape& shape : {Shape{3, 5, 7, 11}, {2, 64, 65, 3}, {4, 16}, {1, 3, 1}}) {
    const Array x = random_array(shape, 1);
    for (const std::int64_t per_sample : {std::int64_t{1}, shape.back()}) {
      const Array factors = random_array({shape[0] * per_sample}, 2);
      const auto length = static_cast<std::size_t>(shape.numel() / shape[0]);
      Array expected = x;
      for (std::size_t i = 0; i < x.values.size(); ++i) {
        const auto count = static_cast<std::size_t>(per_sample);
        expected.values[i] *= factors.values[i / length * count + i % count];
      }
      for (const auto& device : test_devices()) {
        EXPECT_EQ(download(TestGradients::scale_samples(upload(device, x), factors.values)).values,
                  expected.values)
            << to_string(shape);
      }
    }
  }
}

TEST(Split, IsTheInverseOfConcat) {
  for (const auto& device : test_devices()) {
    const Array a = random_array({2, 3, 5}, 1), b = random_array({2, 3, 1}, 2),
                c = random_array({2, 3, 9}, 3);
    const Tensor all =
        TestBackend::concat(std::array{upload(device, a), upload(device, b), upload(device, c)});
    const std::vector<Tensor> pieces = TestGradients::split(all, std::array<std::int64_t, 3>{5, 1, 9});
    ASSERT_EQ(pieces.size(), 3u);
    expect_close(download(pieces[0]), a, 0, "first");
    expect_close(download(pieces[1]), b, 0, "second");
    expect_close(download(pieces[2]), c, 0, "third");
  }
}

TEST(AddTo, IsInPlace) {
  for (const auto& device : test_devices()) {
    Tensor sum = upload(device, {{2, 2}, {1, 2, 3, 4}});
    const Tensor another = sum;
    TestGradients::add_to(sum, upload(device, {{2, 2}, {10, 20, 30, 40}}));
    EXPECT_EQ(download(another).values, (std::vector<float>{11, 22, 33, 44}));
  }
}

/// A packed weight keeps more elements than its shape has, in an order of its own.
TEST(Packed, AddToAndScaledKeepTheLayout) {
  const Array a = random_array({17, 9}, 1), b = random_array({17, 9}, 2);
  Array expected = a;
  for (std::size_t i = 0; i < a.values.size(); ++i) expected.values[i] = (a.values[i] + b.values[i]) * 3.0f;
  for (const auto& device : test_devices()) {
    Tensor sum = upload_weight(device, WeightLayout::dense, a);
    TestGradients::add_to(sum, upload_weight(device, WeightLayout::dense, b));
    Array actual{a.shape, std::vector<float>(a.values.size())};
    TestBackend::weight_to_host(TestGradients::scaled(sum, 3.0f), WeightLayout::dense, actual.values);
    EXPECT_EQ(actual.values, expected.values);
  }
}

TEST(PointwiseGradients, ThreadsDoNotChangeABit) {
  const Array x = random_array({2, 61, 53, 37}, 1), dy = random_array({2, 61, 53, 37}, 2);
  const std::vector<std::function<Array(const TestBackend::Device&)>> functions{
      [&](const auto& device) { return activation_gradient(device, x, Activation::gelu, dy); },
      [&](const auto& device) {
        return download(TestGradients::softmax(upload(device, x), upload(device, dy)));
      },
      [&](const auto& device) { return download(TestGradients::channel_sums(upload(device, x))); },
      [&](const auto& device) {
        return download(TestGradients::channel_products(upload(device, x), upload(device, dy)));
      }};
  for (const auto& function : functions) {
    expect_same_on_all_devices([&](const auto& device) { return function(device).values; });
  }
}

TEST(PointwiseGradients, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Tensor a = upload(device, random_array({2, 3}, 1)), b = upload(device, random_array({3, 2}, 1));
  const Tensor scalar = upload(device, {{}, {1.0f}});
  const auto error = [](const auto& call) { return message_of<ShapeError>(call); };
  EXPECT_EQ(error([&] { TestGradients::activation(a, Activation::relu, b); }),
            "[activation gradient] operands must have the same shape; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] { TestGradients::softmax(scalar, scalar); }),
            "[softmax gradient] result must be [..., C]; got ()");
  EXPECT_EQ(error([&] { TestGradients::channel_sums(scalar); }),
            "[channel_sums] input must be [..., C] and not empty; got ()");
  EXPECT_EQ(error([&] { TestGradients::channel_products(a, b); }),
            "[channel_products] operands must have the same shape; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] { TestGradients::scale_channels(a, b); }),
            "[scale_channels] one value for each of the input's channels expected; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] {
              TestGradients::scale_samples(a, std::array{1.0f, 2.0f, 3.0f});
            }),
            "[scale_samples] 3 factors given; N or N * C expected for an input [N, ..., C]; got (2, 3)");
  EXPECT_EQ(error([&] {
              TestGradients::split(a, std::array<std::int64_t, 2>{1, 1});
            }),
            "[split] pieces of 1 + 1 channels do not make up the input; got (2, 3)");
  EXPECT_EQ(error([&] {
              TestGradients::split(a, std::array<std::int64_t, 2>{4, -1});
            }),
            "[split] pieces of 4 + -1 channels do not make up the input; got (2, 3)");
#if !defined(DFORMER_TEST_CUDA)  // which packs no weights
  Tensor plain = upload(device, random_array({3, 5}, 1));
  const Tensor packed = upload_weight(device, WeightLayout::dense, random_array({3, 5}, 1));
  EXPECT_EQ(
      error([&] { TestGradients::add_to(plain, packed); }),
      "[add_to] operands must have one layout, but keep 15 and 80 elements in memory; got (3, 5) (3, 5)");
#endif
}

}  // namespace
}  // namespace dformer::testing
