#include <backend/naive_nmf.hpp>
#include <cuda/rounded.hpp>
#include <support/backend_under_test.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

/// Without tensor cores only x and the result are rounded.
template <class T>
void factorization_is_rounded_once(const cuda::Device& device, std::int64_t rank) {
  const Array x = rounded_to<T>(positive_array({2, 45, 24}, 1)), dy = rounded_to<T>(random_array(x.shape, 2));
  const Array bases = positive_array({1, 24, rank}, 3);
  const auto on_device = [&](const Array& array) { return Cuda<T>::from_host(device, array.shape, array.values); };
  const auto given = Cuda<T>::weight_from_host(device, WeightLayout::plain, bases.shape, bases.values);
  expect_rounded(Cuda<T>::nmf(on_device(x), given, 3, 0.75f),
                 Cuda<float>::nmf(made<float>(x), made<float>(bases), 3, 0.75f), "nmf");
  expect_rounded(Gradients<Cuda<T>>::nmf(on_device(x), given, 3, 0.75f, on_device(dy)),
                 Gradients<Cuda<float>>::nmf(made<float>(x), made<float>(bases), 3, 0.75f, made<float>(dy)),
                 "gradient");
}

TEST(NmfInHalf, IsRoundedOnceWithoutTensorCores) {
  const cuda::Device without({.tensor_cores = false});
  factorization_is_rounded_once<half>(without, 64);
  factorization_is_rounded_once<bfloat16>(without, 64);
}

// Tensor cores are for 64 bases.
TEST(NmfInHalf, IsRoundedOnceWithAnyRank) {
  factorization_is_rounded_once<half>(cuda::default_device(), 6);
  factorization_is_rounded_once<bfloat16>(cuda::default_device(), 6);
}

/// largest |a - e| / (|e| + floor)
template <class T>
double largest_error(const cuda::Tensor<T>& actual, const cuda::Tensor<float>& exact, double floor) {
  const Array a = values_of(actual), e = values_of(exact);
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double expected = static_cast<double>(e.values[i]);
    largest = std::max(largest, std::abs(static_cast<double>(a.values[i]) - expected) /
                                    (std::abs(expected) + floor));
  }
  return largest;
}

template <class T>
void with_tensor_cores(const Shape& shape, bool shared_bases, int steps) {
  const Array x = rounded_to<T>(positive_array(shape, 1)), dy = rounded_to<T>(random_array(shape, 2));
  const Array bases = positive_array({shared_bases ? 1 : shape[0], shape[2], 64}, 3);
  const auto exact = Cuda<float>::nmf(made<float>(x), made<float>(bases), steps, 0.75f);
  const auto y = Cuda<T>::nmf(made<T>(x), made_full<T>(bases), steps, 0.75f);
  printf("%s steps %d: %.3f tf32 roundoffs\n", to_string(shape).c_str(), steps, largest_error(y, exact, 0) * 2048);
  const auto gexact = Gradients<Cuda<float>>::nmf(made<float>(x), made<float>(bases), steps, 0.75f, made<float>(dy));
  const auto g = Gradients<Cuda<T>>::nmf(made<T>(x), made_full<T>(bases), steps, 0.75f, made<T>(dy));
  printf("  gradient: %.3f of largest\n", largest_error(g, gexact, values_of(gexact).max_abs()) * 2048);
}

TEST(NmfOnTensorCores, Look) {
  with_tensor_cores<half>({2, 45, 24}, true, 0);
  with_tensor_cores<half>({2, 45, 24}, true, 3);
  with_tensor_cores<half>({2, 145, 136}, false, 3);
  with_tensor_cores<half>({1, 100, 136}, false, 7);
  with_tensor_cores<bfloat16>({1, 51, 72}, false, 3);
}

// Bases that are drawn at each call come as activations do.
TEST(NmfInHalf, BasesOfEitherKind) {
  const Array x = rounded_to<half>(positive_array({1, 9, 8}, 4)),
              bases = rounded_to<half>(positive_array({1, 8, 3}, 5));
  EXPECT_EQ(values_of(Cuda<half>::nmf(made<half>(x), made<half>(bases), 2, 1)).values,
            values_of(Cuda<half>::nmf(made<half>(x), made_full<half>(bases), 2, 1)).values);
}

}  // namespace
}  // namespace dformer::testing
