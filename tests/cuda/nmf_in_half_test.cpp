#include <backend/naive_nmf.hpp>
#include <cuda/sixteen_bit.hpp>
#include <support/backend_under_test.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

constexpr std::int64_t core_rank = 64;  // of which tensor cores make factorizations

template <class T>
cuda::Tensor<T> on(const cuda::Device& device, const Array& x, const Array& bases, int steps) {
  return Cuda<T>::nmf(Cuda<T>::from_host(device, x.shape, x.values),
                      Cuda<T>::weight_from_host(device, WeightLayout::plain, bases.shape, bases.values),
                      steps, 0.75f);
}

/// Without tensor cores only x and the result are rounded.
template <class T>
void factorization_is_rounded_once(const cuda::Device& device, std::int64_t rank) {
  const Array x = rounded_to<T>(positive_array({2, 45, 24}, 1)), dy = rounded_to<T>(random_array(x.shape, 2));
  const Array bases = positive_array({1, 24, rank}, 3);
  const auto on_device = [&](const Array& array) {
    return Cuda<T>::from_host(device, array.shape, array.values);
  };
  const auto given = Cuda<T>::weight_from_host(device, WeightLayout::plain, bases.shape, bases.values);
  expect_rounded(Cuda<T>::nmf(on_device(x), given, 3, 0.75f),
                 Cuda<float>::nmf(upload_as<float>(x), upload_as<float>(bases), 3, 0.75f), "nmf");
  expect_rounded(Gradients<Cuda<T>>::nmf(on_device(x), given, 3, 0.75f, on_device(dy)),
                 Gradients<Cuda<float>>::nmf(upload_as<float>(x), upload_as<float>(bases), 3, 0.75f,
                                             upload_as<float>(dy)),
                 "gradient");
}

TEST(NmfInHalf, IsRoundedOnceWithoutTensorCores) {
  const cuda::Device without({.tensor_cores = false});
  factorization_is_rounded_once<half>(without, core_rank);
  factorization_is_rounded_once<bfloat16>(without, core_rank);
}

// And so where tensor cores do not take it.
TEST(NmfInHalf, IsRoundedOnceWithOtherRanks) {
  factorization_is_rounded_once<half>(cuda::default_device(), 6);
  factorization_is_rounded_once<bfloat16>(cuda::default_device(), 6);
}

/// On tensor cores the coefficients, the bases and their squares are rounded to TF32, by 2^-11 at most, where
/// they are made. All are positive, so that relative errors add up: an update meets those of the square and
/// of its own rounding, and a step has two. It divides by what it multiplies with, so that what went wrong
/// before hardly grows: 4 roundings for each step, 4 for the last update, and the one to T. That is an
/// estimate to first order, not a proof; a third of it is met at most.
template <class T>
double core_bound(int steps) {
  return (4 * steps + 4) * 0x1p-11 + unit_roundoff<T>;
}

/// Beside the exact one; `scale` says of what the error may be the bound's part, beside the element itself.
template <class T>
void expect_core_rounded(const cuda::Tensor<T>& actual, const cuda::Tensor<float>& exact, double bound,
                         double scale, const std::string& what) {
  const Array a = download_from(actual), e = download_from(exact);
  ASSERT_EQ(to_string(a.shape), to_string(e.shape)) << what;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double expected = static_cast<double>(e.values[i]);
    ASSERT_NEAR(static_cast<double>(a.values[i]), expected, bound * std::max(scale, std::abs(expected)))
        << what << ": element " << i;
  }
}

/// Ragged sizes: of 48 rows and 64 channels of a block, of slices of the rows, of the pieces between.
struct CoreSize {
  Shape x;
  std::int64_t bases;  // one for all images, or one for each
  int steps;
};

template <class T>
void expect_core_factorization(const CoreSize& size, const cuda::Device& device = cuda::default_device()) {
  const Array x = rounded_to<T>(positive_array(size.x, 1));
  const Array bases = positive_array({size.bases, size.x[2], core_rank}, 3);
  const std::string what = to_string(size.x) + " in " + std::to_string(size.steps) + " steps";
  expect_core_rounded(on<T>(device, x, bases, size.steps),
                      Cuda<float>::nmf(upload_as<float>(x), upload_as<float>(bases), size.steps, 0.75f),
                      core_bound<T>(size.steps), 0, what);
}

TEST(NmfOnTensorCores, EveryRaggedSizeInHalf) {
  for (const CoreSize& size : {CoreSize{{2, 45, 24}, 1, 3},
                               {{1, 1, 8}, 1, 0},
                               {{3, 50, 72}, 3, 1},
                               {{1, 600, 8}, 1, 1},
                               {{1, 1040, 8}, 1, 1},
                               {{1, 20, 392}, 1, 1}}) {
    expect_core_factorization<half>(size);
  }
}
TEST(NmfOnTensorCores, InBfloat16) {
  expect_core_factorization<bfloat16>({{2, 51, 72}, 2, 2});
}

TEST(NmfOnTensorCores, ThreadsDoNotChangeTheResult) {
  const Array x = rounded_to<half>(positive_array({2, 53, 40}, 1));
  const Array bases = positive_array({1, 40, core_rank}, 3);
  expect_same_on_all_devices(
      [&](const cuda::Device& device) { return download_from(on<half>(device, x, bases, 1)).values; });
  const Array dy = rounded_to<half>(random_array(x.shape, 2));
  expect_same_on_all_devices([&](const cuda::Device& device) {
    const auto given = Cuda<half>::weight_from_host(device, WeightLayout::plain, bases.shape, bases.values);
    return download_from(Gradients<Cuda<half>>::nmf(Cuda<half>::from_host(device, x.shape, x.values), given,
                                                    1, 0.75f,
                                                    Cuda<half>::from_host(device, dy.shape, dy.values)))
        .values;
  });
}

/// The gradient is that of the factorization without roundings, where the rounded one went. On its own way it
/// rounds what it multiplies: for each step the gradients of both numerators, of the coefficients'
/// denominator and of their square, the last of the bases' numerator twice; for the last update that of a
/// denominator; and both factors of the product that makes the result. It has either sign, so that errors are
/// seen beside the largest element. An estimate to first order, like the factorization's.
template <class T>
double core_gradient_bound(int steps) {
  return core_bound<T>(steps) + (5 * steps + 3) * 0x1p-11;
}

template <class T>
void expect_core_gradient(const CoreSize& size) {
  const Array x = rounded_to<T>(positive_array(size.x, 1)), dy = rounded_to<T>(random_array(size.x, 2));
  const Array bases = positive_array({size.bases, size.x[2], core_rank}, 3);
  const auto exact = Gradients<Cuda<float>>::nmf(upload_as<float>(x), upload_as<float>(bases), size.steps,
                                                 0.75f, upload_as<float>(dy));
  expect_core_rounded(Gradients<Cuda<T>>::nmf(upload_as<T>(x), upload_channels<T>(bases), size.steps, 0.75f,
                                              upload_as<T>(dy)),
                      exact, core_gradient_bound<T>(size.steps),
                      static_cast<double>(download_from(exact).max_abs()), to_string(size.x));
}
TEST(NmfOnTensorCores, Gradient) {
  expect_core_gradient<half>({{2, 53, 40}, 1, 2});
  expect_core_gradient<bfloat16>({{1, 53, 40}, 1, 1});
}

// Bases that are drawn at each call come as activations do.
TEST(NmfInHalf, BasesOfEitherKind) {
  const Array x = rounded_to<half>(positive_array({1, 9, 8}, 4)),
              bases = rounded_to<half>(positive_array({1, 8, 3}, 5));
  EXPECT_EQ(download_from(Cuda<half>::nmf(upload_as<half>(x), upload_as<half>(bases), 2, 1)).values,
            download_from(Cuda<half>::nmf(upload_as<half>(x), upload_channels<half>(bases), 2, 1)).values);
}

}  // namespace
}  // namespace dformer::testing
