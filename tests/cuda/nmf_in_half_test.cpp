#include <backend/naive_nmf.hpp>
#include <cuda/rounded.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

template <class T>
void factorization_is_rounded_once() {
  const Array x = rounded_to<T>(positive_array({2, 45, 20}, 1)), dy = rounded_to<T>(random_array(x.shape, 2));
  const Array bases = positive_array({1, 20, 6}, 3);
  expect_rounded(Cuda<T>::nmf(made<T>(x), made_full<T>(bases), 3, 0.75f),
                 Cuda<float>::nmf(made<float>(x), made<float>(bases), 3, 0.75f), "nmf");
  expect_rounded(Gradients<Cuda<T>>::nmf(made<T>(x), made_full<T>(bases), 3, 0.75f, made<T>(dy)),
                 Gradients<Cuda<float>>::nmf(made<float>(x), made<float>(bases), 3, 0.75f, made<float>(dy)),
                 "gradient");
}

TEST(NmfInHalf, IsRoundedOnce) {
  factorization_is_rounded_once<half>();
  factorization_is_rounded_once<bfloat16>();
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
