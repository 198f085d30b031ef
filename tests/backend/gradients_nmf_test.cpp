#include <cmath>

#include <backend/gradient_check.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

/// Uniform in [0, 1), as images after a ReLU and the bases are.
Array positive_array(const Shape& shape, unsigned seed) {
  Array array = random_array(shape, seed);
  for (float& value : array.values) value = 0.5f * value + 0.5f;
  return array;
}

template <class T>
cpu::Tensor<T> nmf_gradient(const cpu::Device& device, const Array& x, const Array& bases, int steps,
                            float inv_t, const Array& dy) {
  const auto made = [&](const Array& array) { return Cpu<T>::from_host(device, array.shape, array.values); };
  return Gradients<Cpu<T>>::nmf(made(x), made(bases), steps, inv_t, made(dy));
}

std::vector<double> values_of(const DoubleTensor& tensor) {
  return {tensor.data(), tensor.data() + tensor.shape().numel()};
}

TEST(NmfGradients, MatchReference) {
  for (const char* name : {"ops/nmf_forward_eval", "ops/nmf_forward_train"}) {
    const Golden golden(name);
    const int steps = golden.json("attrs").at("steps");
    const Array x = golden.nhwc("input.x"), dy = golden.nhwc("grad_output"),
                expected = golden.nhwc("grad.input.x");  // [2, 5, 6, 16]
    const Shape rows{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]};
    for (const auto& device : test_devices()) {
      const Tensor dx = nmf_gradient<float>(device, {rows, x.values}, golden.array("input.bases"), steps, 1,
                                            {rows, dy.values});
      expect_close({x.shape, download(dx).values}, expected, op_tolerance(expected), name);
    }
  }
}

TEST(NmfGradients, AreTheDifferencesOfTheFactorization) {
  for (const auto& device : test_devices()) {
    for (const int steps : {0, 1, 4}) {
      const DoubleTensor x = upload_double(device, positive_array({2, 13, 9}, 1));
      const DoubleTensor bases = upload_double(device, positive_array({2, 9, 5}, 2));
      const DoubleTensor dy = upload_double(device, random_array({2, 13, 9}, 3));
      const auto loss = [&] { return dot(Cpu<double>::nmf(x, bases, steps, 0.75f), dy); };
      EXPECT_LE(largest_deviation(x, Gradients<Cpu<double>>::nmf(x, bases, steps, 0.75f, dy), loss), 1e-8)
          << steps << " steps";
    }
  }
}

/// In double against the difference along one direction, and in float against the gradient in double.
void expect_gradient(const cpu::Device& device, const Shape& shape, std::int64_t rank, int steps,
                     float inv_t) {
  const Array x = positive_array(shape, 4), bases = positive_array({shape[0], shape[2], rank}, 5);
  const Array dy = random_array(shape, 6), direction = random_array(shape, 7);
  const std::string what = to_string(shape) + " rank " + std::to_string(rank) + " steps " +
                           std::to_string(steps) + " " + std::string(to_string(device.isa()));
  const DoubleTensor gradient = nmf_gradient<double>(device, x, bases, steps, inv_t, dy);
  const auto loss = [&](double step) {
    DoubleTensor moved = upload_double(device, x);
    for (std::int64_t i = 0; i < shape.numel(); ++i) {
      moved.data()[i] += step * static_cast<double>(direction.values[static_cast<std::size_t>(i)]);
    }
    return dot(Cpu<double>::nmf(moved, upload_double(device, bases), steps, inv_t),
               upload_double(device, dy));
  };
  const double slope = dot(gradient, upload_double(device, direction));
  EXPECT_NEAR((loss(1e-5) - loss(-1e-5)) / 2e-5, slope, 1e-7 * std::max(1.0, std::abs(slope))) << what;
  expect_near_all(nmf_gradient<float>(device, x, bases, steps, inv_t, dy), values_of(gradient), 1e-5, what);
}

TEST(NmfGradients, EveryRaggedSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t rows : {1, 5, 97, 130}) {
      for (const std::int64_t channels : {1, 5, 16, 37}) {
        for (const std::int64_t rank : {1, 4, 17, 33}) {
          for (const int steps : {0, 1, 3}) {
            expect_gradient(device, {2, rows, channels}, rank, steps, 1);
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(NmfGradients, SizeOfTheNetworks) {
  for (const auto& device : test_devices()) expect_gradient(device, {1, 2400, 128}, 64, 6, 1);
}

// Images go in groups, and rows that are zero stay without coefficients, but not without a gradient.
TEST(NmfGradients, ManyRowsAndEmptyOnes) {
  Array x = positive_array({3, 4000, 9}, 8);
  const Array bases = positive_array({1, 9, 3}, 9), dy = random_array(x.shape, 10);
  std::fill_n(x.values.begin(), 9 * 40, 0.0f);
  for (const auto& device : test_devices()) {
    const DoubleTensor together = nmf_gradient<double>(device, x, bases, 2, 1, dy);
    for (std::size_t n = 0; n < 3; ++n) {
      const auto image = [&](const Array& array) {
        const auto from = array.values.begin() + static_cast<std::ptrdiff_t>(n * 4000 * 9);
        return Array{{1, 4000, 9}, {from, from + 4000 * 9}};
      };
      const DoubleTensor alone = nmf_gradient<double>(device, image(x), bases, 2, 1, image(dy));
      const double* const part = together.data() + n * 4000 * 9;
      EXPECT_TRUE(std::equal(part, part + 4000 * 9, alone.data())) << "image " << n;
    }
    expect_near_all(nmf_gradient<float>(device, x, bases, 2, 1, dy), values_of(together), 1e-5, "float");
  }
}

TEST(NmfGradients, ThreadsDoNotChangeTheResult) {
  const Array x = positive_array({2, 1500, 37}, 11), bases = positive_array({2, 37, 20}, 12);
  const Array dy = random_array(x.shape, 13);
  EXPECT_TRUE(identical(nmf_gradient<float>(cpu::Device({.threads = 1}), x, bases, 4, 1, dy),
                        nmf_gradient<float>(cpu::Device({.threads = 2}), x, bases, 4, 1, dy)));
}

TEST(NmfGradients, WrongArgumentsAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& x, const Shape& bases, int steps, const Shape& dy) -> std::string {
    const auto make = [&](const Shape& shape) { return TestBackend::empty(device, shape); };
    try {
      Gradients<TestBackend>::nmf(make(x), make(bases), steps, 1, make(dy));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(text({1, 30, 16}, {1, 8, 4}, 7, {1, 30, 16}),
            "[nmf] input [N, T, D] and bases [N, D, R] or [1, D, R] expected; got (1, 30, 16) (1, 8, 4)");
  EXPECT_EQ(text({1, 30, 16}, {1, 16, 4}, -1, {1, 30, 16}), "[nmf] steps must be 0 or more, got -1");
  EXPECT_EQ(text({1, 30, 16}, {1, 16, 4}, 1, {1, 30, 8}),
            "[nmf gradient] operands must have the same shape; got (1, 30, 16) (1, 30, 8)");
}

}  // namespace
}  // namespace dformer::testing
