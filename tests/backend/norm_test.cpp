#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array layer_norm(const TestBackend::Device& device, const Array& x, const Array& weight, const Array& bias,
                 float eps) {
  return download(
      TestBackend::layer_norm(upload(device, x), upload(device, weight), upload(device, bias), eps));
}

Array naive_layer_norm(const Array& x, const Array& weight, const Array& bias, double eps) {
  const auto channels = static_cast<std::size_t>(x.shape.back());
  Array y = x;
  for (std::size_t row = 0; row < x.values.size(); row += channels) {
    double mean = 0, variance = 0;
    for (std::size_t c = 0; c < channels; ++c) mean += static_cast<double>(x.values[row + c]);
    mean /= static_cast<double>(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const double d = static_cast<double>(x.values[row + c]) - mean;
      variance += d * d;
    }
    variance /= static_cast<double>(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      const double normal = (static_cast<double>(x.values[row + c]) - mean) / std::sqrt(variance + eps);
      y.values[row + c] = static_cast<float>(normal * static_cast<double>(weight.values[c]) +
                                             static_cast<double>(bias.values[c]));
    }
  }
  return y;
}

TEST(LayerNorm, MatchesReference) {
  for (const char* name : {"ops/layer_norm_1e-5", "ops/layer_norm_1e-6"}) {
    const Golden golden(name);
    const Array expected = golden.array("output");
    for (const auto& device : test_devices()) {
      const Array y = layer_norm(device, golden.array("input.x"), golden.array("param.weight"),
                                 golden.array("param.bias"), golden.json("attrs")["eps"].get<float>());
      expect_close(y, expected, op_tolerance(expected), name);
    }
  }
}

TEST(LayerNorm, OfFourNumbers) {
  // Mean 4, variance 5, eps 4: (x - 4) / 3.
  const Array x{{1, 4}, {1, 3, 5, 7}};
  const Array weight{{4}, {1, 1, 1, 2}};
  const Array bias{{4}, {0, 0, 10, 0}};
  for (const auto& device : test_devices()) {
    const Array y = layer_norm(device, x, weight, bias, 4.0f);
    EXPECT_FLOAT_EQ(y.values[0], -1.0f);
    EXPECT_FLOAT_EQ(y.values[1], -1.0f / 3.0f);
    EXPECT_FLOAT_EQ(y.values[2], 10.0f + 1.0f / 3.0f);
    EXPECT_FLOAT_EQ(y.values[3], 2.0f);
  }
}

TEST(LayerNorm, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 70; ++channels) {
    const Array x = random_array({3, channels}, 1);
    const Array weight = random_array({channels}, 2), bias = random_array({channels}, 3);
    const Array expected = naive_layer_norm(x, weight, bias, 1e-3);
    for (const auto& device : test_devices()) {
      expect_close(layer_norm(device, x, weight, bias, 1e-3f), expected, op_tolerance(expected),
                   to_string(x.shape));
    }
  }
}

/// Counts of channels that backends cut up in other ways.
TEST(LayerNorm, WideRows) {
  for (const std::int64_t channels : {132, 260, 388, 516, 640, 644}) {
    const Array x = random_array({5, channels}, 1);
    const Array weight = random_array({channels}, 2), bias = random_array({channels}, 3);
    const Array expected = naive_layer_norm(x, weight, bias, 1e-3);
    for (const auto& device : test_devices()) {
      expect_close(layer_norm(device, x, weight, bias, 1e-3f), expected, op_tolerance(expected),
                   to_string(x.shape));
    }
  }
}

/// The variance of values near 1000 must not drown in their squares: those of the differences are exact here.
TEST(LayerNorm, LargeMean) {
  Array x{{1, 48}, {}};
  for (int i = 0; i < 48; ++i) x.values.push_back(1000.0f + 0.125f * static_cast<float>(i % 3));
  const Array weight{{48}, std::vector<float>(48, 1.0f)}, bias{{48}, std::vector<float>(48, 0.0f)};
  const Array expected = naive_layer_norm(x, weight, bias, 1e-6);
  for (const auto& device : test_devices()) {
    expect_close(layer_norm(device, x, weight, bias, 1e-6f), expected, 2e-4, "mean 1000");
  }
}

TEST(LayerNorm, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Tensor x = upload(device, random_array({2, 5}, 1));
  const Tensor five = upload(device, random_array({5}, 1)), four = upload(device, random_array({4}, 1));
  for (const bool weight_is_wrong : {false, true}) {
    try {
      TestBackend::layer_norm(x, weight_is_wrong ? four : five, weight_is_wrong ? five : four, 1e-6f);
      ADD_FAILURE() << "no ShapeError";
    } catch (const ShapeError& error) {
      EXPECT_STREQ(error.what(),
                   "[layer_norm] one value for each of the input's channels expected; got (2, 5) (4)");
    }
  }
}

TEST(BatchNorm, MatchesReference) {
  for (const char* name : {"ops/batch_norm_eval", "ops/batch_norm_eval_eps1e-3"}) {
    const Golden golden(name);
    const Array expected = golden.nhwc("output");
    for (const auto& device : test_devices()) {
      const auto affine = TestBackend::batch_norm_affine(
          upload(device, golden.array("param.weight")), upload(device, golden.array("param.bias")),
          upload(device, golden.array("running_mean.before")),
          upload(device, golden.array("running_var.before")), golden.json("attrs")["eps"].get<float>());
      const Array y = download(
          TestBackend::scale_shift(upload(device, golden.nhwc("input.x")), affine.scale, affine.shift));
      expect_close(y, expected, op_tolerance(expected), name);
    }
  }
}

TEST(BatchNorm, RejectsWrongShapes) {
  const TestBackend::Device device;
  const Tensor four = upload(device, random_array({4}, 1)), five = upload(device, random_array({5}, 1));
  try {
    TestBackend::batch_norm_affine(four, four, four, five, 1e-5f);
    ADD_FAILURE() << "no ShapeError";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "[batch_norm_affine] operands must have the same shape; got (4) (5)");
  }
}

TEST(ScaleShift, EveryCountOfChannels) {
  std::vector<std::int64_t> counts{129, 260};
  for (std::int64_t channels = 1; channels <= 40; ++channels) counts.push_back(channels);
  for (const std::int64_t channels : counts) {
    const Array x = random_array({5, channels}, 1);
    const Array scale = random_array({channels}, 2), shift = random_array({channels}, 3);
    Array expected = x;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(channels);
      expected.values[i] = x.values[i] * scale.values[c] + shift.values[c];
    }
    for (const auto& device : test_devices()) {
      const Array y =
          download(TestBackend::scale_shift(upload(device, x), upload(device, scale), upload(device, shift)));
      expect_close(y, expected, op_tolerance(expected), to_string(x.shape));
    }
  }
}

TEST(Norm, ThreadsDoNotChangeABit) {
  const Array x = random_array({37, 75}, 1);
  const Array weight = random_array({75}, 2), bias = random_array({75}, 3);
  expect_same_on_all_devices(
      [&](const auto& device) { return layer_norm(device, x, weight, bias, 1e-6f).values; });
}

}  // namespace
}  // namespace dformer::testing
