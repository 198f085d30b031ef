#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

using Steps = std::array<std::array<float, 5>, 3>;

const Array start{{5}, {1.0f, -2.0f, 0.5f, 0.0f, 1e-3f}};

/// The gradient of step 1, 2, 3: larger each time, and the second element's sign changes.
Array gradient_of(int step) {
  const auto size = static_cast<float>(step);
  return {{5}, {0.5f * size, step == 2 ? 1e-4f * size : -1e-4f * size, 3.0f * size, 0.0f, 2e-6f * size}};
}

void expect_steps(const Steps& expected, const std::function<void(Tensor&, const Tensor&, int)>& update) {
  for (const auto& device : test_devices()) {
    Tensor value = upload(device, start);
    const Tensor another = value;  // updates are in place
    for (int step = 1; step <= 3; ++step) {
      update(value, upload(device, gradient_of(step)), step);
      const Array after = download(another);
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_FLOAT_EQ(after.values[i], expected[static_cast<std::size_t>(step - 1)][i])
            << "element " << i << " after step " << step;
      }
    }
  }
}

// The numbers are torch 2's, on the CPU, without its fused or foreach variants.

TEST(AdamW, IsTorchs) {
  Tensor mean, squares;
  expect_steps({{{0.989000022f, -1.98800099f, 0.489500016f, 0, -0.0089512486f},
                 {0.978359222f, -1.98967385f, 0.479358703f, 0, -0.0185636971f},
                 {0.967800856f, -1.98425198f, 0.469299346f, 0, -0.0281030294f}}},
               [&](Tensor& value, const Tensor& gradient, int step) {
                 if (step == 1) mean = TestGradients::zeros_like(value);
                 if (step == 1) squares = TestGradients::zeros_like(value);
                 TestGradients::adamw(value, gradient, mean, squares,
                                      {.lr = 0.01, .weight_decay = 0.1, .step = step});
               });
}

TEST(AdamW, IsTorchsWithOtherNumbers) {
  Tensor mean, squares;
  expect_steps(
      {{{0.999940097f, -1.99999452f, 0.499940008f, 0, 0.000999880256f},
        {0.999881208f, -1.99999797f, 0.499881089f, 0, 0.000999694224f},
        {0.999821782f, -1.9999938f, 0.499821633f, 0, 0.000999437645f}}},
      [&](Tensor& value, const Tensor& gradient, int step) {
        if (step == 1) mean = TestGradients::zeros_like(value);
        if (step == 1) squares = TestGradients::zeros_like(value);
        TestGradients::adamw(
            value, gradient, mean, squares,
            {.lr = 6e-5, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.0, .step = step});
      });
}

/// What the first buffer holds does not matter: it is set by the first step.
TEST(Sgd, IsTorchs) {
  Tensor buffer;
  expect_steps({{{0.994000018f, -1.99799895f, 0.469500005f, 0, 0.000998980016f},
                 {0.977605999f, -1.99420202f, 0.381580502f, 0, 0.000997023075f},
                 {0.946873784f, -1.98878765f, 0.212071374f, 0, 0.000994204776f}}},
               [&](Tensor& value, const Tensor& gradient, int step) {
                 if (step == 1) buffer = upload(value.device(), {{5}, {1, NAN, 3, 4, 5}});
                 TestGradients::sgd(value, gradient, buffer,
                                    {.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1, .first = step == 1});
               });
}

TEST(Sgd, WithoutMomentumNeedsNoBuffer) {
  Tensor none;
  expect_steps({{{0.949999988f, -1.99998999f, 0.199999988f, 0, 0.000999800046f},
                 {0.849999964f, -2.00001001f, -0.400000036f, 0, 0.000999400043f},
                 {0.699999988f, -1.99997997f, -1.30000007f, 0, 0.000998800038f}}},
               [&](Tensor& value, const Tensor& gradient, int step) {
                 TestGradients::sgd(value, gradient, none, {.lr = 0.1, .momentum = 0.0, .first = step == 1});
               });
}

/// Each element alike, however many there are, and whatever the gradients' size.
TEST(AdamW, EveryLength) {
  for (const std::int64_t length : {1, 15, 17, 4095, 4096, 4097, 20003}) {
    Array value = random_array({length}, 1), gradient = random_array({length}, 2);
    for (std::size_t i = 0; i < value.values.size(); ++i) {
      gradient.values[i] *= std::pow(10.0f, static_cast<float>(i % 30) - 20.0f);
    }
    Array mean = random_array({length}, 3), squares = random_array({length}, 4);
    for (std::size_t i = 0; i < value.values.size(); ++i) {
      mean.values[i] *= gradient.values[i];
      squares.values[i] = std::abs(squares.values[i] * gradient.values[i] * gradient.values[i]);
    }
    Array expected = value;
    for (std::size_t i = 0; i < value.values.size(); ++i) {
      const auto g = static_cast<double>(gradient.values[i]);
      const double m = 0.9 * static_cast<double>(mean.values[i]) + 0.1 * g;
      const double s = 0.999 * static_cast<double>(squares.values[i]) + 0.001 * g * g;
      const double root = std::sqrt(s / (1 - std::pow(0.999, 7))) + 1e-8;
      const double kept = static_cast<double>(value.values[i]) * (1 - 0.001 * 0.01);
      expected.values[i] = static_cast<float>(kept - 0.001 / (1 - std::pow(0.9, 7)) * m / root);
    }
    for (const auto& device : test_devices()) {
      Tensor v = upload(device, value), m = upload(device, mean), s = upload(device, squares);
      TestGradients::adamw(v, upload(device, gradient), m, s, {.lr = 0.001, .step = 7});
      expect_close(download(v), expected, 2e-7, to_string(value.shape));
    }
  }
}

/// A packed weight is updated where its elements are; its padding stays zero.
TEST(OptimizerSteps, InAnyLayout) {
  const Array value = random_array({17, 9}, 1), gradient = random_array({17, 9}, 2);
  for (const auto& device : test_devices()) {
    const auto weight = [&](const Array& array) { return upload_weight(device, WeightLayout::dense, array); };
    const auto host = [&](const Tensor& tensor) {
      Array array{value.shape, std::vector<float>(value.values.size())};
      TestBackend::weight_to_host(tensor, WeightLayout::dense, array.values);
      return array.values;
    };
    Tensor plain = upload(device, value), packed = weight(value);
    Tensor plain_buffer = TestGradients::zeros_like(plain), packed_buffer = TestGradients::zeros_like(packed);
    Tensor plain_mean = TestGradients::zeros_like(plain), packed_mean = TestGradients::zeros_like(packed);
    Tensor plain_squares = TestGradients::zeros_like(plain);
    Tensor packed_squares = TestGradients::zeros_like(packed);
    for (int step = 1; step <= 2; ++step) {
      TestGradients::sgd(plain, upload(device, gradient), plain_buffer, {.lr = 0.1, .first = step == 1});
      TestGradients::sgd(packed, weight(gradient), packed_buffer, {.lr = 0.1, .first = step == 1});
    }
    TestGradients::adamw(plain, upload(device, gradient), plain_mean, plain_squares, {.lr = 0.1});
    TestGradients::adamw(packed, weight(gradient), packed_mean, packed_squares, {.lr = 0.1});
    EXPECT_EQ(host(packed), download(plain).values);
    double squares = 0;
    for (const float x : download(plain).values) squares += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(TestGradients::sum_of_squares(packed), squares, 1e-12 * squares);
    TestGradients::average_to(packed_mean, packed, 0.75);
    TestGradients::average_to(plain_mean, plain, 0.75);
    EXPECT_EQ(host(packed_mean), download(plain_mean).values);
    EXPECT_EQ(TestGradients::sum_of_squares(TestGradients::zeros_like(packed)), 0.0);
    EXPECT_EQ(TestGradients::zeros_like(packed).elements(), packed.elements());
  }
}

TEST(SumOfSquares, EveryLength) {
  for (const std::int64_t length : {1, 15, 16, 129, 4097, 300007}) {
    const Array x = random_array({length}, 1);
    double expected = 0;
    for (const float value : x.values) expected += static_cast<double>(value) * static_cast<double>(value);
    for (const auto& device : test_devices()) {
      EXPECT_NEAR(TestGradients::sum_of_squares(upload(device, x)), expected, 1e-12 * expected);
    }
  }
}

TEST(AverageTo, IsAnExponentialAverage) {
  for (const auto& device : test_devices()) {
    Tensor average = upload(device, {{2}, {1, -8}});
    TestGradients::average_to(average, upload(device, {{2}, {5, 8}}), 0.75);
    EXPECT_EQ(download(average).values, (std::vector<float>{2, -4}));
  }
}

/// Parameters of several lengths in one call, with gradients times a factor, each as in a call of its own.
TEST(OptimizerSteps, ManyAtOnceAreEachAsAlone) {
  const std::array<std::int64_t, 6> lengths{1, 4096, 5, 4097, 3, 9001};
  const auto array = [](std::int64_t length, int seed) { return random_array({length}, seed); };
  for (const auto& device : test_devices()) {
    std::vector<AdamWUpdate<Tensor>> adamw;
    std::vector<SgdUpdate<Tensor>> sgd;
    std::vector<AverageUpdate<Tensor>> averages;
    std::vector<Tensor> gradients;
    std::vector<Array> expected;
    double squares = 0;
    for (const std::int64_t length : lengths) {
      const auto fresh = [&](int seed) { return upload(device, array(length, seed)); };
      const AdamWStep adamw_step{.lr = 0.01, .weight_decay = length % 2 == 0 ? 0.1 : 0.0, .step = length};
      const SgdStep sgd_step{.lr = 0.1, .first = length == 5};
      Tensor zeros = TestGradients::zeros_like(fresh(1));
      adamw.push_back({fresh(1), fresh(2), TestGradients::zeros_like(zeros), TestGradients::zeros_like(zeros),
                       adamw_step});
      sgd.push_back({fresh(1), fresh(2), fresh(3), sgd_step});
      averages.push_back({fresh(1), fresh(2)});
      gradients.push_back(fresh(2));

      Tensor value = fresh(1), mean = TestGradients::zeros_like(zeros),
             second = TestGradients::zeros_like(zeros);
      const Tensor gradient = TestGradients::scaled(fresh(2), 0.25f);
      TestGradients::adamw(value, gradient, mean, second, adamw_step);
      expected.push_back(download(value));
      expected.push_back(download(mean));
      Tensor moved = fresh(1), buffer = fresh(3), average = fresh(1);
      TestGradients::sgd(moved, gradient, buffer, sgd_step);
      expected.push_back(download(moved));
      expected.push_back(download(buffer));
      TestGradients::average_to(average, fresh(2), 0.75);
      expected.push_back(download(average));
      squares += TestGradients::sum_of_squares(fresh(2));
    }
    TestGradients::adamw(std::span(adamw), 0.25);
    TestGradients::sgd(std::span(sgd), 0.25);
    TestGradients::average_to(std::span(averages), 0.75);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const std::array<Tensor, 5> results{adamw[i].value, adamw[i].mean, sgd[i].value, sgd[i].momentum_buffer,
                                          averages[i].average};
      for (std::size_t k = 0; k < results.size(); ++k) {
        EXPECT_EQ(download(results[k]).values, expected[5 * i + k].values) << lengths[i] << ", result " << k;
      }
    }
    EXPECT_NEAR(TestGradients::sum_of_squares(std::span<const Tensor>(gradients)), squares, 1e-12 * squares);
    EXPECT_EQ(TestGradients::sum_of_squares(std::span<const Tensor>()), 0.0);
  }
}

TEST(OptimizerSteps, ThreadsDoNotChangeABit) {
  const Array x = random_array({500001}, 1), gradient = random_array({500001}, 2);
  expect_same_on_all_devices([&](const auto& device) {
    Tensor value = upload(device, x), mean = TestGradients::zeros_like(value);
    Tensor squares = TestGradients::zeros_like(value);
    TestGradients::adamw(value, upload(device, gradient), mean, squares, {.lr = 0.01});
    return std::pair(download(value).values, TestGradients::sum_of_squares(value));
  });
}

TEST(OptimizerSteps, RejectsWrongArguments) {
  const TestBackend::Device device;
  Tensor value = upload(device, random_array({3, 5}, 1));
  Tensor other = upload(device, random_array({5, 3}, 1));
  EXPECT_EQ(message_of<ShapeError>([&] { TestGradients::adamw(value, value, value, other, {.lr = 0.1}); }),
            "[adamw] operands must have the same shape; got (3, 5) (5, 3)");
  EXPECT_EQ(message_of<ArgumentError>(
                [&] { TestGradients::adamw(value, value, value, value, {.lr = 0.1, .step = 0}); }),
            "[adamw] steps count from 1, got step 0");
#if !defined(DFORMER_TEST_CUDA)  // which packs no weights
  Tensor packed = upload_weight(device, WeightLayout::dense, random_array({3, 5}, 1));
  EXPECT_EQ(message_of<ShapeError>([&] { TestGradients::sgd(value, packed, value, {.lr = 0.1}); }),
            "[sgd] operands must have one layout, but keep 15 and 80 elements in memory; got (3, 5) (3, 5)");
#endif
  EXPECT_EQ(message_of<ShapeError>([&] { TestGradients::average_to(other, value, 0.5); }),
            "[average_to] operands must have the same shape; got (5, 3) (3, 5)");
}

}  // namespace
}  // namespace dformer::testing
