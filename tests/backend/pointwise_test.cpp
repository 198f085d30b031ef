#include <functional>
#include <limits>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array map(const Array& x, const std::function<double(double)>& function) {
  Array y = x;
  for (float& value : y.values) value = static_cast<float>(function(static_cast<double>(value)));
  return y;
}

Array softmax_of(const TestBackend::Device& device, const Array& x) {
  return download(TestBackend::softmax(upload(device, x)));
}

Array naive_softmax(const Array& x) {
  const auto channels = static_cast<std::size_t>(x.shape.back());
  Array y = x;
  for (std::size_t row = 0; row < x.values.size(); row += channels) {
    double sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += std::exp(static_cast<double>(x.values[row + c]));
    for (std::size_t c = 0; c < channels; ++c) {
      y.values[row + c] = static_cast<float>(std::exp(static_cast<double>(x.values[row + c])) / sum);
    }
  }
  return y;
}

TEST(Activate, MatchesReference) {
  const std::vector<std::pair<const char*, Activation>> functions{
      {"ops/relu", Activation::relu}, {"ops/gelu", Activation::gelu}, {"ops/sigmoid", Activation::sigmoid}};
  for (const auto& [name, activation] : functions) {
    const Golden golden(name);
    const Array expected = golden.array("output");
    for (const auto& device : test_devices()) {
      const Array y = download(TestBackend::activate(upload(device, golden.array("input.x")), activation));
      expect_close(y, expected, op_tolerance(expected), name);
    }
  }
}

TEST(Activate, EveryLength) {
  for (const Activation activation :
       {Activation::none, Activation::relu, Activation::gelu, Activation::sigmoid}) {
    for (std::int64_t length = 1; length <= 70; ++length) {
      const Array x = random_array({length}, 1);
      const Array expected = map(x, [&](double value) { return NaiveEpilogue::activate(value, activation); });
      for (const auto& device : test_devices()) {
        expect_close(download(TestBackend::activate(upload(device, x), activation)), expected, 1e-6,
                     to_string(x.shape));
      }
    }
  }
}

TEST(Activate, Extremes) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Array x{{6}, {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e30f, -1e30f, 0.0f}};
  for (const auto& device : test_devices()) {
    const auto apply = [&](Activation activation) {
      return download(TestBackend::activate(upload(device, x), activation)).values;
    };
    for (const Activation activation : {Activation::relu, Activation::gelu}) {
      const std::vector<float> y = apply(activation);
      EXPECT_EQ(y[0], infinity);
      EXPECT_EQ(y[1], 0.0f);
      EXPECT_TRUE(std::isnan(y[2]));
      EXPECT_EQ(y[3], 1e30f);
      EXPECT_EQ(y[4], 0.0f);
      EXPECT_EQ(y[5], 0.0f);
    }
    const std::vector<float> y = apply(Activation::sigmoid);
    EXPECT_EQ(y[0], 1.0f);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[3], 1.0f);
    EXPECT_EQ(y[4], 0.0f);
    EXPECT_EQ(y[5], 0.5f);
  }
}

TEST(Binary, SumsAndProducts) {
  for (const std::int64_t length : {1, 15, 16, 17, 4095, 4096, 4097, 12345}) {
    const Array a = random_array({length}, 1), b = random_array({length}, 2);
    for (const auto& device : test_devices()) {
      const Array sum = download(TestBackend::add(upload(device, a), upload(device, b)));
      const Array product = download(TestBackend::multiply(upload(device, a), upload(device, b)));
      for (std::size_t i = 0; i < a.values.size(); ++i) {
        ASSERT_EQ(sum.values[i], a.values[i] + b.values[i]);
        ASSERT_EQ(product.values[i], a.values[i] * b.values[i]);
      }
    }
  }
}

TEST(Concat, PutsChannelsSideBySide) {
  for (const auto& device : test_devices()) {
    const std::array inputs{upload(device, {{1, 2, 1, 2}, {1, 2, 3, 4}}),
                            upload(device, {{1, 2, 1, 1}, {5, 6}}),
                            upload(device, {{1, 2, 1, 3}, {7, 8, 9, 10, 11, 12}})};
    const Array y = download(TestBackend::concat(inputs));
    EXPECT_EQ(to_string(y.shape), "(1, 2, 1, 6)");
    EXPECT_EQ(y.values, (std::vector<float>{1, 2, 5, 7, 8, 9, 3, 4, 6, 10, 11, 12}));
  }
}

TEST(SelectChannels, CutsAndFillsWithZeros) {
  const Array x{{1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}};
  const auto select = [&](const TestBackend::Device& device, std::int64_t first, std::int64_t count) {
    const Array y = download(TestBackend::select_channels(upload(device, x), first, count));
    EXPECT_EQ(to_string(y.shape), to_string(Shape{1, 2, 1, count}));
    return y.values;
  };
  using Values = std::vector<float>;
  for (const auto& device : test_devices()) {
    EXPECT_EQ(select(device, 0, 3), x.values);
    EXPECT_EQ(select(device, 1, 2), (Values{2, 3, 5, 6}));
    EXPECT_EQ(select(device, 2, 1), (Values{3, 6}));
    EXPECT_EQ(select(device, 1, 4), (Values{2, 3, 0, 0, 5, 6, 0, 0}));
    EXPECT_EQ(select(device, -2, 4), (Values{0, 0, 1, 2, 0, 0, 4, 5}));
    EXPECT_EQ(select(device, -1, 5), (Values{0, 1, 2, 3, 0, 0, 4, 5, 6, 0}));
    EXPECT_EQ(select(device, 3, 2), Values(4));
    EXPECT_EQ(select(device, -5, 2), Values(4));
  }
}

// Of many rows, with channels that are and are not whole vectors, beside splitting and joining.
TEST(SelectChannels, PiecesAreTheWhole) {
  for (const std::int64_t channels : {24, 40, 67}) {
    const Array x = random_array({2, 31, 9, channels}, 1);
    for (const auto& device : test_devices()) {
      const Tensor whole = upload(device, x);
      const std::array pieces{TestBackend::select_channels(whole, 0, 8),
                              TestBackend::select_channels(whole, 8, channels - 8)};
      EXPECT_EQ(download(TestBackend::concat(pieces)).values, x.values);
    }
  }
}

TEST(Gate, EveryCountOfChannels) {
  for (const std::int64_t channels : {1, 3, 4, 8, 15, 16, 17, 48, 70, 256, 301}) {
    const Array x = random_array({2, 3, 5, channels}, 1), spatial = random_array({2, 1, 1, channels}, 2),
                channel = random_array({2, 1, 1, channels}, 3);
    constexpr float scale = 0.37f;
    Array expected = x;
    const auto count = static_cast<std::size_t>(channels);
    for (std::size_t row = 0; row < 2 * 3 * 5; ++row) {
      const std::size_t image = row / 15 * count;
      double sum = 0;
      for (std::size_t c = 0; c < count; ++c)
        sum +=
            static_cast<double>(x.values[row * count + c]) * static_cast<double>(spatial.values[image + c]);
      const double map = 1 / (1 + std::exp(-static_cast<double>(scale) * sum));
      for (std::size_t c = 0; c < count; ++c) {
        expected.values[row * count + c] =
            static_cast<float>(map * static_cast<double>(x.values[row * count + c]) *
                               static_cast<double>(channel.values[image + c]));
      }
    }
    for (const auto& device : test_devices()) {
      const Array y = download(
          TestBackend::gate(upload(device, x), upload(device, spatial), upload(device, channel), scale));
      expect_close(y, expected, 1e-6, to_string(x.shape));
    }
  }
}

TEST(Gate, Extremes) {
  const Array x{{1, 1, 3, 1}, {1e20f, -1e20f, 0.0f}}, one{{1, 1, 1, 1}, {1.0f}};
  for (const auto& device : test_devices()) {
    const Tensor ones = upload(device, one);
    EXPECT_EQ(download(TestBackend::gate(upload(device, x), ones, ones, 1.0f)).values,
              (std::vector<float>{1e20f, 0.0f, 0.0f}));
  }
}

TEST(Softmax, MatchesReference) {
  for (const char* name : {"ops/softmax_last", "ops/softmax_dim1"}) {
    const Golden golden(name);
    const bool last = golden.json("attrs")["dim"] == -1;
    const Array x = last ? golden.array("input.x") : golden.nhwc("input.x");
    const Array expected = last ? golden.array("output") : golden.nhwc("output");
    for (const auto& device : test_devices()) {
      expect_close(softmax_of(device, x), expected, op_tolerance(expected), name);
    }
  }
}

TEST(Softmax, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 70; ++channels) {
    const Array x = random_array({3, channels}, 1);
    const Array expected = naive_softmax(x);
    for (const auto& device : test_devices()) {
      expect_close(softmax_of(device, x), expected, 1e-6, to_string(x.shape));
    }
  }
}

TEST(Softmax, LogitsOfAnySize) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const auto& device : test_devices()) {
    EXPECT_EQ(softmax_of(device, {{2, 2}, {1e30f, 1e30f, -1e30f, 0.0f}}).values,
              (std::vector<float>{0.5f, 0.5f, 0.0f, 1.0f}));
    EXPECT_EQ(softmax_of(device, {{1, 3}, {-infinity, 7.0f, -infinity}}).values,
              (std::vector<float>{0.0f, 1.0f, 0.0f}));
  }
}

TEST(Pointwise, ThreadsDoNotChangeABit) {
  const Array x = random_array({301, 77}, 1);
  expect_same_on_all_devices([&](const auto& device) { return softmax_of(device, x).values; });
  expect_same_on_all_devices([&](const auto& device) {
    return download(TestBackend::activate(upload(device, x), Activation::gelu)).values;
  });
}

TEST(Pointwise, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Tensor a = upload(device, random_array({2, 3}, 1)), b = upload(device, random_array({3, 2}, 1));
  const auto error = [](const auto& call) {
    try {
      call();
    } catch (const ShapeError& e) {
      return std::string(e.what());
    }
    return std::string("no ShapeError");
  };
  EXPECT_EQ(error([&] { TestBackend::add(a, b); }),
            "[add] operands must have the same shape; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] { TestBackend::multiply(a, b); }),
            "[multiply] operands must have the same shape; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] {
              TestBackend::concat(std::array{a, b});
            }),
            "[concat] inputs must agree in all but the last extent; got (2, 3) (3, 2)");
  EXPECT_EQ(error([&] { TestBackend::concat(std::span<const Tensor>()); }),
            "[concat] expected at least one input of rank 1 or more; got");
  EXPECT_EQ(error([&] { TestBackend::select_channels(a, 1, 0); }),
            "[select_channels] 1 channel or more expected, asked for 0 from 1 on; got (2, 3)");
  EXPECT_EQ(error([&] { TestBackend::gate(a, a, a, 1.0f); }),
            "[gate] input [N, H, W, C] and twice [N, 1, 1, C] expected; got (2, 3) (2, 3) (2, 3)");
  EXPECT_EQ(error([&] {
              TestBackend::softmax(upload(device, {{}, {1.0f}}));
            }),
            "[softmax] input must be [..., C]; got ()");
}

}  // namespace
}  // namespace dformer::testing
