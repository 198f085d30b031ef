#include <cmath>

#include <backend/naive_epilogue.hpp>
#include <backend/naive_nmf.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

Array naive_nmf(const Array& x, const Array& bases, int steps, double inv_t) {
  Array y{x.shape, {}};
  for (std::size_t n = 0; n < static_cast<std::size_t>(x.shape[0]); ++n) {
    for (double value : decomposed(image(x, n), image(bases, n), steps, inv_t).values) {
      y.values.push_back(static_cast<float>(value));
    }
  }
  return y;
}

Array nmf(const TestBackend::Device& device, const Array& x, const Array& bases, int steps, float inv_t) {
  return download(TestBackend::nmf(upload(device, x), upload(device, bases), steps, inv_t));
}

TEST(Nmf, MatchesReference) {
  for (const char* name : {"ops/nmf_forward_eval", "ops/nmf_forward_train"}) {
    const Golden golden(name);
    const int steps = golden.json("attrs").at("steps");
    const Array x = golden.nhwc("input.x"), expected = golden.nhwc("output");  // [2, 5, 6, 16]
    const Shape rows{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]};
    for (const auto& device : test_devices()) {
      const Array y = nmf(device, {rows, x.values}, golden.array("input.bases"), steps, 1);
      expect_close({x.shape, y.values}, expected, op_tolerance(expected), name);
    }
  }
}

// The two halves of a step are not operations of their own; what the tests compare with is held to the
// reference.
TEST(Nmf, StepsOfTheNaiveFormMatchReference) {
  const Golden step("ops/nmf_step"), coefficients_only("ops/nmf_compute_coef");
  for (std::size_t n = 0; n < 2; ++n) {
    const Matrix x = transposed(image(step.array("input.x"), n)), bases = image(step.array("input.bases"), n);
    const Matrix coefficients = updated_coefficients(x, bases, image(step.array("input.coef"), n));
    const Matrix expected = image(step.array("output.coef"), n);
    const Matrix new_bases = updated_bases(x, bases, coefficients),
                 expected_bases = image(step.array("output.bases"), n);
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      EXPECT_NEAR(coefficients.values[i], expected.values[i], 1e-5);
    }
    for (std::size_t i = 0; i < expected_bases.values.size(); ++i) {
      EXPECT_NEAR(new_bases.values[i], expected_bases.values[i], 1e-5);
    }
    const Matrix other = updated_coefficients(transposed(image(coefficients_only.array("input.x"), n)),
                                              image(coefficients_only.array("input.bases"), n),
                                              image(coefficients_only.array("input.coef"), n));
    const Matrix other_expected = image(coefficients_only.array("output"), n);
    for (std::size_t i = 0; i < other.values.size(); ++i) {
      EXPECT_NEAR(other.values[i], other_expected.values[i], 1e-5);
    }
  }
}

// The emulation takes some microseconds for each thread at each barrier, so that its sizes are fewer and
// smaller.
#if defined(DFORMER_CUDA_EMULATION)
const std::vector<std::int64_t> row_counts{1, 70}, channel_counts{5, 36}, ranks{4, 17, 66};
const std::vector<int> step_counts{0, 2};
const Shape large{1, 1050, 40}, shape_of_agreement{2, 70, 37};
#else
const std::vector<std::int64_t> row_counts{1, 5, 7, 97, 130}, channel_counts{1, 5, 16, 37},
    ranks{1, 4, 17, 33, 66};
const std::vector<int> step_counts{0, 1, 3};
const Shape large{1, 2400, 128}, shape_of_agreement{2, 1500, 37};
#endif

TEST(Nmf, EveryRaggedSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t rows : row_counts) {
      for (const std::int64_t channels : channel_counts) {
        for (const std::int64_t rank : ranks) {
          for (const int steps : step_counts) {
            const Array x = positive_array({2, rows, channels}, 1);
            const Array bases = positive_array({2, channels, rank}, 2);
            const Array expected = naive_nmf(x, bases, steps, 1);
            expect_close(
                nmf(device, x, bases, steps, 1), expected, op_tolerance(expected),
                to_string(x.shape) + " " + to_string(bases.shape) + " steps " + std::to_string(steps));
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(Nmf, BasesForAllImagesAlike) {
  const Array x = positive_array({3, 50, 12}, 7), bases = positive_array({1, 12, 5}, 8);
  Array repeated{{3, 12, 5}, {}};
  for (int n = 0; n < 3; ++n) {
    repeated.values.insert(repeated.values.end(), bases.values.begin(), bases.values.end());
  }
  const Array expected = naive_nmf(x, repeated, 2, 1);
  for (const auto& device : test_devices()) {
    expect_close(nmf(device, x, bases, 2, 1), expected, op_tolerance(expected), "bases [1, D, R]");
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(Nmf, InDouble) {
  const Array x = positive_array({2, 130, 37}, 9), bases = positive_array({2, 37, 11}, 10);
  const Array expected = naive_nmf(x, bases, 7, 1);
  for (const auto& device : test_devices()) {
    Array y{x.shape, std::vector<float>(x.values.size())};
    Cpu<double>::to_host(Cpu<double>::nmf(Cpu<double>::from_host(device, x.shape, x.values),
                                          Cpu<double>::from_host(device, bases.shape, bases.values), 7, 1),
                         y.values);
    expect_close(y, expected, 1e-7 * static_cast<double>(expected.max_abs()), "double");
  }
}
#endif

TEST(Nmf, SizeOfTheNetworks) {
  const Array x = positive_array(large, 3);
  const Array bases = positive_array({1, large[2], 64}, 4);
  const Array expected = naive_nmf(x, bases, 7, 0.5);
  for (const auto& device : test_devices()) {
    expect_close(nmf(device, x, bases, 7, 0.5f), expected, op_tolerance(expected), to_string(large));
  }
}

TEST(Nmf, ThreadsDoNotChangeTheResult) {
  const Array x = positive_array(shape_of_agreement, 5);
  const Array bases = positive_array({2, 37, 20}, 6);
  expect_same_on_all_devices([&](const auto& device) { return nmf(device, x, bases, 3, 1).values; });
}

TEST(Nmf, WrongArgumentsAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& x, const Shape& bases, int steps) -> std::string {
    try {
      TestBackend::nmf(TestBackend::empty(device, x), TestBackend::empty(device, bases), steps, 1);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(text({1, 30, 16}, {1, 8, 4}, 7),
            "[nmf] input [N, T, D] and bases [N, D, R] or [1, D, R] expected; got (1, 30, 16) (1, 8, 4)");
  EXPECT_EQ(text({1, 30, 16}, {1, 16, 0}, 7),
            "[nmf] at least one basis vector expected; got (1, 30, 16) (1, 16, 0)");
  EXPECT_EQ(text({1, 30, 16}, {1, 16, 4}, -1), "[nmf] steps must be 0 or more, got -1");
}

}  // namespace
}  // namespace dformer::testing
