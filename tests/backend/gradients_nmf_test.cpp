#include <cmath>

#include <backend/gradient_check.hpp>
#include <backend/naive_nmf.hpp>

namespace dformer::testing {
namespace {

Array nmf_gradient(const TestBackend::Device& device, const Array& x, const Array& bases, int steps,
                   float inv_t, const Array& dy) {
  return download(
      TestGradients::nmf(upload(device, x), upload(device, bases), steps, inv_t, upload(device, dy)));
}

TEST(NmfGradients, MatchReference) {
  for (const char* name : {"ops/nmf_forward_eval", "ops/nmf_forward_train"}) {
    const Golden golden(name);
    const int steps = golden.json("attrs").at("steps");
    const Array x = golden.nhwc("input.x"), dy = golden.nhwc("grad_output"),
                expected = golden.nhwc("grad.input.x");  // [2, 5, 6, 16]
    const Shape rows{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]};
    for (const auto& device : test_devices()) {
      const Array dx =
          nmf_gradient(device, {rows, x.values}, golden.array("input.bases"), steps, 1, {rows, dy.values});
      expect_close({x.shape, dx.values}, expected, op_tolerance(expected), name);
    }
  }
}

/// The sum of products of the naive form's result and dy, of one image.
double naive_loss(const Matrix& x, const Matrix& bases, int steps, double inv_t, const Matrix& dy) {
  const Matrix y = decomposed(x, bases, steps, inv_t);
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i) sum += y.values[i] * dy.values[i];
  return sum;
}

// Every element, to the differences of the naive form.
TEST(NmfGradients, AreTheDifferencesOfTheNaiveForm) {
  struct Size {
    Shape x;
    std::int64_t rank;
    int steps;
  };
  for (const Size& size : {Size{{2, 13, 9}, 5, 0},
                           {{2, 13, 9}, 5, 1},
                           {{2, 13, 9}, 5, 4},
                           {{1, 40, 36}, 4, 2},
                           {{1, 5, 7}, 66, 2},
                           {{1, 1, 1}, 1, 3}}) {
    const Array x = positive_array(size.x, 1), dy = random_array(size.x, 3);
    const Array bases = positive_array({size.x[0], size.x[2], size.rank}, 2);
    std::vector<double> expected;
    for (std::size_t n = 0; n < static_cast<std::size_t>(size.x[0]); ++n) {
      Matrix moved = image(x, n);
      const Matrix own_bases = image(bases, n), own_dy = image(dy, n);
      for (double& value : moved.values) {
        const double before = value;
        value = before + 1e-5;
        const double above = naive_loss(moved, own_bases, size.steps, 0.75, own_dy);
        value = before - 1e-5;
        expected.push_back((above - naive_loss(moved, own_bases, size.steps, 0.75, own_dy)) / 2e-5);
        value = before;
      }
    }
    for (const auto& device : test_devices()) {
      expect_near_all(
          nmf_gradient(device, x, bases, size.steps, 0.75f, dy), expected, 1e-5,
          to_string(size.x) + " rank " + std::to_string(size.rank) + " steps " + std::to_string(size.steps));
    }
  }
}

// Rows enough for several slices: to the naive form's difference along one direction.
TEST(NmfGradients, ManyRows) {
  const Array x = positive_array({1, 1100, 9}, 4), bases = positive_array({1, 9, 5}, 5);
  const Array dy = random_array(x.shape, 6), direction = random_array(x.shape, 7);
  const auto loss = [&](double step) {
    Matrix moved = image(x, 0);
    for (std::size_t i = 0; i < moved.values.size(); ++i) {
      moved.values[i] += step * static_cast<double>(direction.values[i]);
    }
    return naive_loss(moved, image(bases, 0), 2, 1, image(dy, 0));
  };
  const double slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
  for (const auto& device : test_devices()) {
    const Array gradient = nmf_gradient(device, x, bases, 2, 1, dy);
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < gradient.values.size(); ++i) {
      const double product =
          static_cast<double>(gradient.values[i]) * static_cast<double>(direction.values[i]);
      sum += product;
      size += std::abs(product);
    }
    EXPECT_NEAR(sum, slope, 1e-6 * size);
  }
}

#if !defined(DFORMER_TEST_CUDA)
DoubleTensor gradient_in_double(const cpu::Device& device, const Array& x, const Array& bases, int steps,
                                float inv_t, const Array& dy) {
  return Gradients<Cpu<double>>::nmf(upload_double(device, x), upload_double(device, bases), steps, inv_t,
                                     upload_double(device, dy));
}

std::vector<double> values_of(const DoubleTensor& tensor) {
  return {tensor.data(), tensor.data() + tensor.shape().numel()};
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
  const DoubleTensor gradient = gradient_in_double(device, x, bases, steps, inv_t, dy);
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
  expect_near_all(nmf_gradient(device, x, bases, steps, inv_t, dy), values_of(gradient), 1e-5, what);
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
    const DoubleTensor together = gradient_in_double(device, x, bases, 2, 1, dy);
    for (std::size_t n = 0; n < 3; ++n) {
      const auto image = [&](const Array& array) {
        const auto from = array.values.begin() + static_cast<std::ptrdiff_t>(n * 4000 * 9);
        return Array{{1, 4000, 9}, {from, from + 4000 * 9}};
      };
      const DoubleTensor alone = gradient_in_double(device, image(x), bases, 2, 1, image(dy));
      const double* const part = together.data() + n * 4000 * 9;
      EXPECT_TRUE(std::equal(part, part + 4000 * 9, alone.data())) << "image " << n;
    }
    expect_near_all(nmf_gradient(device, x, bases, 2, 1, dy), values_of(together), 1e-5, "float");
  }
}
#endif

TEST(NmfGradients, ThreadsDoNotChangeTheResult) {
#if defined(DFORMER_CUDA_EMULATION)
  const Array x = positive_array({2, 70, 37}, 11);
#else
  const Array x = positive_array({2, 1500, 37}, 11);
#endif
  const Array bases = positive_array({2, 37, 20}, 12), dy = random_array(x.shape, 13);
  expect_same_on_all_devices(
      [&](const auto& device) { return nmf_gradient(device, x, bases, 3, 1, dy).values; });
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
