#include <array>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

struct HostGradients {
  Array x, weight, bias;
};

HostGradients download(const NormGradients<Tensor>& gradients) {
  return {testing::download(gradients.x), testing::download(gradients.weight),
          testing::download(gradients.bias)};
}

void expect_gradients(const HostGradients& actual, const HostGradients& expected, const std::string& what) {
  expect_close(actual.x, expected.x, op_tolerance(expected.x), what + ", x");
  expect_close(actual.weight, expected.weight, op_tolerance(expected.weight), what + ", weight");
  expect_close(actual.bias, expected.bias, op_tolerance(expected.bias), what + ", bias");
}

HostGradients layer_norm(const TestBackend::Device& device, const Array& x, const Array& weight,
                         const Array& dy, float eps) {
  return download(
      TestGradients::layer_norm(upload(device, x), upload(device, weight), upload(device, dy), eps));
}

BatchStatistics<Tensor> statistics_of(const TestBackend::Device& device, const Array& x) {
  return TestGradients::batch_statistics(upload(device, x));
}

HostGradients batch_norm(const TestBackend::Device& device, const Array& x, const Array& weight,
                         const Array& dy, float eps) {
  return download(TestGradients::batch_norm(upload(device, x), upload(device, weight),
                                            statistics_of(device, x), eps, upload(device, dy)));
}

/// In double, of `count` elements from `first` on, `stride` apart, that are normalised together; adds to the
/// gradients. The weight of element i is that of channel i * stride of the row.
struct NaiveNorm {
  const Array& x;
  const Array& weight;
  const Array& dy;
  double eps;
  std::vector<double> dx = std::vector<double>(x.values.size());
  std::vector<double> dweight = std::vector<double>(weight.values.size());
  std::vector<double> dbias = std::vector<double>(weight.values.size());

  void add(std::size_t first, std::size_t count, std::size_t stride) {
    const auto at = [&](const std::vector<float>& values, std::size_t i) {
      return static_cast<double>(values[first + i * stride]);
    };
    const auto channel = [&](std::size_t i) { return (first + i * stride) % weight.values.size(); };
    const auto n = static_cast<double>(count);
    double mean = 0, variance = 0, gradient = 0, product = 0;
    for (std::size_t i = 0; i < count; ++i) mean += at(x.values, i) / n;
    for (std::size_t i = 0; i < count; ++i) variance += std::pow(at(x.values, i) - mean, 2) / n;
    const double scale = 1 / std::sqrt(variance + eps);
    for (std::size_t i = 0; i < count; ++i) {
      const double normal = (at(x.values, i) - mean) * scale;
      dweight[channel(i)] += at(dy.values, i) * normal;
      dbias[channel(i)] += at(dy.values, i);
      const double g = at(dy.values, i) * static_cast<double>(weight.values[channel(i)]);
      gradient += g / n;
      product += g * normal / n;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const double normal = (at(x.values, i) - mean) * scale;
      const double g = at(dy.values, i) * static_cast<double>(weight.values[channel(i)]);
      dx[first + i * stride] = scale * (g - gradient - normal * product);
    }
  }
  HostGradients gradients() const {
    const auto floats = [](const Shape& shape, const std::vector<double>& values) {
      Array array{shape, {}};
      for (const double value : values) array.values.push_back(static_cast<float>(value));
      return array;
    };
    return {floats(x.shape, dx), floats(weight.shape, dweight), floats(weight.shape, dbias)};
  }
};

HostGradients naive_layer_norm(const Array& x, const Array& weight, const Array& dy, double eps) {
  NaiveNorm norm{x, weight, dy, eps};
  const std::size_t channels = weight.values.size();
  for (std::size_t row = 0; row < x.values.size(); row += channels) norm.add(row, channels, 1);
  return norm.gradients();
}

HostGradients naive_batch_norm(const Array& x, const Array& weight, const Array& dy, double eps) {
  NaiveNorm norm{x, weight, dy, eps};
  const std::size_t channels = weight.values.size();
  for (std::size_t c = 0; c < channels; ++c) norm.add(c, x.values.size() / channels, channels);
  return norm.gradients();
}

TEST(LayerNormGradient, MatchesReference) {
  for (const char* name : {"ops/layer_norm_1e-5", "ops/layer_norm_1e-6"}) {
    const Golden golden(name);
    for (const auto& device : test_devices()) {
      const auto actual = layer_norm(device, golden.array("input.x"), golden.array("param.weight"),
                                     golden.array("grad_output"), golden.json("attrs")["eps"].get<float>());
      expect_gradients(
          actual,
          {golden.array("grad.input.x"), golden.array("grad.param.weight"), golden.array("grad.param.bias")},
          name);
    }
  }
}

TEST(LayerNormGradient, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 70; ++channels) {
    const Array x = random_array({2, 11, channels}, 1), dy = random_array({2, 11, channels}, 2);
    const Array weight = random_array({channels}, 3);
    const HostGradients expected = naive_layer_norm(x, weight, dy, 1e-3);
    for (const auto& device : test_devices()) {
      expect_gradients(layer_norm(device, x, weight, dy, 1e-3f), expected, to_string(x.shape));
    }
  }
}

/// Counts of channels that backends cut up in other ways.
TEST(LayerNormGradient, WideRows) {
  for (const std::int64_t channels : {132, 260, 388, 516, 640, 644}) {
    const Array x = random_array({11, channels}, 1), dy = random_array({11, channels}, 2);
    const Array weight = random_array({channels}, 3);
    const HostGradients expected = naive_layer_norm(x, weight, dy, 1e-3);
    for (const auto& device : test_devices()) {
      expect_gradients(layer_norm(device, x, weight, dy, 1e-3f), expected, to_string(x.shape));
    }
  }
}

TEST(LayerNormGradient, ManyRows) {
  const Array x = random_array({5, 1001, 40}, 1), dy = random_array({5, 1001, 40}, 2);
  const Array weight = random_array({40}, 3);
  const HostGradients expected = naive_layer_norm(x, weight, dy, 1e-6);
  for (const auto& device : test_devices()) {
    expect_gradients(layer_norm(device, x, weight, dy, 1e-6f), expected, to_string(x.shape));
  }
}

TEST(BatchNormGradient, MatchesReference) {
  for (const char* name : {"ops/batch_norm_train", "ops/batch_norm_train_eps1e-3"}) {
    const Golden golden(name);
    const Array x = golden.nhwc("input.x");
    const auto eps = golden.json("attrs")["eps"].get<float>();
    for (const auto& device : test_devices()) {
      const Tensor weight = upload(device, golden.array("param.weight"));
      const Tensor bias = upload(device, golden.array("param.bias"));
      const auto statistics = statistics_of(device, x);
      const auto affine =
          TestBackend::batch_norm_affine(weight, bias, statistics.mean, statistics.variance, eps);
      const Array y =
          testing::download(TestBackend::scale_shift(upload(device, x), affine.scale, affine.shift));
      expect_close(y, golden.nhwc("output"), op_tolerance(golden.nhwc("output")), name);

      expect_gradients(
          batch_norm(device, x, golden.array("param.weight"), golden.nhwc("grad_output"), eps),
          {golden.nhwc("grad.input.x"), golden.array("grad.param.weight"), golden.array("grad.param.bias")},
          name);

      const Tensor mean = upload(device, golden.array("running_mean.before"));
      const Tensor var = upload(device, golden.array("running_var.before"));
      TestGradients::update_statistics(mean, var, statistics, x.shape.rows(),
                                       golden.json("attrs")["momentum"].get<float>());
      const Array mean_after = golden.array("running_mean.after");
      const Array var_after = golden.array("running_var.after");
      expect_close(testing::download(mean), mean_after, op_tolerance(mean_after), name);
      expect_close(testing::download(var), var_after, op_tolerance(var_after), name);
    }
  }
}

TEST(BatchNormGradient, EveryCountOfChannels) {
  for (std::int64_t channels = 1; channels <= 40; ++channels) {
    const Array x = random_array({2, 5, 7, channels}, 1), dy = random_array({2, 5, 7, channels}, 2);
    const Array weight = random_array({channels}, 3);
    const HostGradients expected = naive_batch_norm(x, weight, dy, 1e-3);
    for (const auto& device : test_devices()) {
      expect_gradients(batch_norm(device, x, weight, dy, 1e-3f), expected, to_string(x.shape));
    }
  }
}

TEST(BatchNormGradient, WideRows) {
  for (const std::int64_t channels : {129, 260}) {
    const Array x = random_array({19, channels}, 1), dy = random_array({19, channels}, 2);
    const Array weight = random_array({channels}, 3);
    const HostGradients expected = naive_batch_norm(x, weight, dy, 1e-3);
    for (const auto& device : test_devices()) {
      expect_gradients(batch_norm(device, x, weight, dy, 1e-3f), expected, to_string(x.shape));
    }
  }
}

TEST(BatchNormGradient, ManyRows) {
  for (const std::int64_t channels : {8, 37, 48}) {
    const Array x = random_array({2, 61, 67, channels}, 1), dy = random_array({2, 61, 67, channels}, 2);
    const Array weight = random_array({channels}, 3);
    const HostGradients expected = naive_batch_norm(x, weight, dy, 1e-5);
    for (const auto& device : test_devices()) {
      expect_gradients(batch_norm(device, x, weight, dy, 1e-5f), expected, to_string(x.shape));
    }
  }
}

TEST(BatchStatistics, OfFourRows) {
  for (const auto& device : test_devices()) {
    const auto statistics = statistics_of(device, {{1, 2, 2, 2}, {1, 7, 3, 7, 5, 7, 7, 7}});
    EXPECT_EQ(testing::download(statistics.mean).values, (std::vector<float>{4, 7}));
    EXPECT_EQ(testing::download(statistics.variance).values, (std::vector<float>{5, 0}));
  }
}

/// Values near 10000 that differ by eighths, which float holds exactly. The first row is far from the others.
TEST(BatchStatistics, LargeMean) {
  Array x{{60000, 3}, {}};
  for (int i = 0; i < 180000; ++i) {
    x.values.push_back(i < 3 ? -3000.0f : 10000.0f + 0.125f * static_cast<float>(i / 3 % 5));
  }
  double mean = 0, variance = 0;
  for (std::size_t i = 0; i < x.values.size(); i += 3) mean += static_cast<double>(x.values[i]) / 60000;
  for (std::size_t i = 0; i < x.values.size(); i += 3) {
    variance += std::pow(static_cast<double>(x.values[i]) - mean, 2) / 60000;
  }
  for (const auto& device : test_devices()) {
    const auto statistics = statistics_of(device, x);
    for (const float value : testing::download(statistics.mean).values) {
      EXPECT_EQ(value, static_cast<float>(mean));
    }
    for (const float value : testing::download(statistics.variance).values) {
      EXPECT_FLOAT_EQ(value, static_cast<float>(variance));
    }
  }
}

TEST(BatchStatistics, UpdateIsSeenByEveryHandle) {
  for (const auto& device : test_devices()) {
    const Tensor mean = upload(device, {{1}, {2}}), var = upload(device, {{1}, {3}});
    const Tensor& another = mean;
    TestGradients::update_statistics(mean, var, statistics_of(device, {{4, 1}, {1, 3, 5, 7}}), 4, 0.25f);
    EXPECT_EQ(testing::download(another).values, std::vector<float>{2.5f});  // 3/4 of 2, 1/4 of 4
    EXPECT_FLOAT_EQ(testing::download(var).values[0], 0.75f * 3.0f + 0.25f * 20.0f / 3.0f);
  }
}

TEST(NormGradients, ThreadsDoNotChangeABit) {
  const Array x = random_array({3, 31, 37, 40}, 1), dy = random_array({3, 31, 37, 40}, 2);
  const Array weight = random_array({40}, 3);
  for (const auto function : {&layer_norm, &batch_norm}) {
    expect_same_on_all_devices([&](const auto& device) {
      const HostGradients gradients = function(device, x, weight, dy, 1e-5f);
      return std::array{gradients.x.values, gradients.weight.values, gradients.bias.values};
    });
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(NormGradients, InDouble) {
  const Array x = random_array({3, 50, 13}, 1), dy = random_array({3, 50, 13}, 2);
  const Array weight = random_array({13}, 3);
  using Double = Gradients<Cpu<double>>;
  for (const auto& device : test_devices()) {
    const auto upload_double = [&](const Array& array) {
      return Cpu<double>::from_host(device, array.shape, array.values);
    };
    const auto expect = [](const NormGradients<cpu::Tensor<double>>& actual, const NaiveNorm& expected) {
      for (std::size_t i = 0; i < expected.dx.size(); ++i) {
        ASSERT_NEAR(actual.x.data()[i], expected.dx[i], 1e-12);
      }
      for (std::size_t c = 0; c < expected.dweight.size(); ++c) {
        ASSERT_NEAR(actual.weight.data()[c], expected.dweight[c], 1e-12);
        ASSERT_NEAR(actual.bias.data()[c], expected.dbias[c], 1e-12);
      }
    };
    const auto eps = static_cast<double>(1e-3f);
    NaiveNorm rows{x, weight, dy, eps}, channels{x, weight, dy, eps};
    for (std::size_t row = 0; row < x.values.size(); row += 13) rows.add(row, 13, 1);
    for (std::size_t c = 0; c < 13; ++c) channels.add(c, x.values.size() / 13, 13);
    const auto dx = upload_double(x);
    expect(Double::layer_norm(dx, upload_double(weight), upload_double(dy), 1e-3f), rows);
    expect(
        Double::batch_norm(dx, upload_double(weight), Double::batch_statistics(dx), 1e-3f, upload_double(dy)),
        channels);
  }
}
#endif

TEST(NormGradients, RejectsWrongArguments) {
  const TestBackend::Device device;
  const Tensor x = upload(device, random_array({2, 5}, 1)), other = upload(device, random_array({5, 2}, 1));
  const Tensor five = upload(device, random_array({5}, 1)), four = upload(device, random_array({4}, 1));
  const BatchStatistics<Tensor> statistics{five, five};
  EXPECT_EQ(message_of<ShapeError>([&] { TestGradients::layer_norm(x, four, x, 1e-5f); }),
            "[layer_norm gradient] one value for each of the input's channels expected; got (2, 5) (4)");
  EXPECT_EQ(message_of<ShapeError>([&] { TestGradients::layer_norm(x, five, other, 1e-5f); }),
            "[layer_norm gradient] operands must have the same shape; got (2, 5) (5, 2)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              TestGradients::batch_norm(x, five, {five, four}, 1e-5f, x);
            }),
            "[batch_norm gradient] one value for each of the input's channels expected; got (2, 5) (4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              TestGradients::batch_statistics(upload(device, {{0, 5}, {}}));
            }),
            "[batch_statistics] input must be [..., C] and not empty; got (0, 5)");
  EXPECT_EQ(
      message_of<ShapeError>([&] { TestGradients::update_statistics(five, four, statistics, 9, 0.1f); }),
      "[update_statistics] operands must have the same shape; got (5) (4)");
  EXPECT_EQ(
      message_of<ArgumentError>([&] { TestGradients::update_statistics(five, five, statistics, 1, 0.1f); }),
      "[update_statistics] a variance needs at least 2 pixels for each channel, got 1; use larger images or "
      "batches");
}

}  // namespace
}  // namespace dformer::testing
