// Attention in half and bfloat16 without tensor cores, which take heads of a multiple of 4 channels: here
// they have 10.
#include <cuda/sixteen_bit.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

template <class T>
void attention_is_rounded_once() {
  const Array q = rounded_to<T>(random_array({1, 33, 20}, 1)),
              kv = rounded_to<T>(random_array({1, 140, 40}, 2));
  const Array dy = rounded_to<T>(random_array(q.shape, 3));
  expect_rounded(Cuda<T>::attention(upload_as<T>(q), upload_as<T>(kv), 2, 0.5f),
                 Cuda<float>::attention(upload_as<float>(q), upload_as<float>(kv), 2, 0.5f), "attention");
  const auto actual =
      Gradients<Cuda<T>>::attention(upload_as<T>(q), upload_as<T>(kv), 2, 0.5f, upload_as<T>(dy));
  const auto exact = Gradients<Cuda<float>>::attention(upload_as<float>(q), upload_as<float>(kv), 2, 0.5f,
                                                       upload_as<float>(dy));
  expect_rounded(actual.q, exact.q, "queries");
  expect_rounded(actual.kv, exact.kv, "keys");
}

TEST(AttentionInHalf, IsRoundedOnce) {
  attention_is_rounded_once<half>();
  attention_is_rounded_once<bfloat16>();
}

template <class T>
void rotation_is_rounded_once() {
  const Array x = rounded_to<T>(random_array({2, 5, 7, 24}, 4));
  const Array angle{{12}, {1.0f, 1.0f, 0.5f, 0.4f, 0.1f, 0.1f, 0.03f, 0.02f, 0.01f, 0.01f, 1e-3f, 1e-3f}};
  expect_rounded(Cuda<T>::rotary(upload_as<T>(x), upload_channels<T>(angle), 2, 0.25f),
                 Cuda<float>::rotary(upload_as<float>(x), upload_as<float>(angle), 2, 0.25f), "turned");
  expect_rounded(Gradients<Cuda<T>>::rotary(upload_as<T>(x), upload_channels<T>(angle), 2, 0.25f),
                 Gradients<Cuda<float>>::rotary(upload_as<float>(x), upload_as<float>(angle), 2, 0.25f),
                 "turned back");
}

TEST(RotaryInHalf, IsRoundedOnce) {
  rotation_is_rounded_once<half>();
  rotation_is_rounded_once<bfloat16>();
}

/// Operands of geometry attention, exact in Rounded.
struct GeometryOperands {
  Shape grid{1, 4, 9, 20};
  Array q, k, v, dy, depth;
  Array weight{{2, 1, 1, 1}, {1.2f, 0.7f}}, decay{{2}, {-0.3f, -0.05f}};

  template <class Rounded>
  static GeometryOperands exact_in() {
    GeometryOperands made;
    made.q = rounded_to<Rounded>(random_array(made.grid, 1));
    made.k = rounded_to<Rounded>(random_array(made.grid, 2));
    made.v = rounded_to<Rounded>(random_array(made.grid, 3));
    made.dy = rounded_to<Rounded>(random_array(made.grid, 4));
    made.depth = rounded_to<Rounded>(random_array(made.grid.with_back(1), 5));
    return made;
  }
  template <class T>
  GeometryPrior<cuda::Tensor<T>> prior() const {
    return {upload_as<T>(depth), upload_channels<T>(weight), upload_channels<T>(decay)};
  }
  template <class T>
  cuda::Tensor<T> attend(GeometryAttention kind) const {
    return Cuda<T>::geometry_attention(upload_as<T>(q), upload_as<T>(k), upload_as<T>(v), prior<T>(), 2,
                                       kind);
  }
  template <class T>
  GeometryAttentionGradients<cuda::Tensor<T>> gradients(GeometryAttention kind) const {
    return Gradients<Cuda<T>>::geometry_attention(upload_as<T>(q), upload_as<T>(k), upload_as<T>(v),
                                                  prior<T>(), 2, kind, upload_as<T>(dy));
  }
};

template <class T>
void full_geometry_is_rounded_once() {
  const GeometryOperands operands = GeometryOperands::exact_in<T>();
  expect_rounded(operands.attend<T>(GeometryAttention::full), operands.attend<float>(GeometryAttention::full),
                 "attention");
  const auto actual = operands.gradients<T>(GeometryAttention::full);
  const auto exact = operands.gradients<float>(GeometryAttention::full);
  expect_rounded(actual.q, exact.q, "queries");
  expect_rounded(actual.k, exact.k, "keys");
  expect_rounded(actual.v, exact.v, "values");
  EXPECT_TRUE(actual.weight.is_full());
  EXPECT_EQ(download_from(actual.weight).values, download_from(exact.weight).values);
}

TEST(GeometryAttentionInHalf, FullIsRoundedOnce) {
  full_geometry_is_rounded_once<half>();
  full_geometry_is_rounded_once<bfloat16>();
}

// The rows' results are rounded on their way to the columns, whose means of them are no further off.
template <class T>
void decomposed_geometry_is_rounded_twice() {
  const GeometryOperands operands = GeometryOperands::exact_in<T>();
  const Array exact = download_from(operands.attend<float>(GeometryAttention::decomposed));
  expect_close(download_from(operands.attend<T>(GeometryAttention::decomposed)), exact,
               2 * unit_roundoff<T> * static_cast<double>(operands.v.max_abs()) + 1e-6, "decomposed");
}

TEST(GeometryAttentionInHalf, DecomposedIsRoundedTwice) {
  decomposed_geometry_is_rounded_twice<half>();
  decomposed_geometry_is_rounded_twice<bfloat16>();
}

// All operands are below 1. A response, dy times a value, is off by head_dim roundoffs through the rows'
// rounded results; a score's gradient by twice that times its weight, and so is the queries' gradient, a sum
// of them with keys. Along the rows the same holds with dy up to the grid's height times as large. At last
// both parts are rounded.
TEST(GeometryAttentionInHalf, DecomposedGradients) {
  const auto operands = GeometryOperands::exact_in<half>();
  const auto actual = operands.gradients<half>(GeometryAttention::decomposed);
  const auto exact = operands.gradients<float>(GeometryAttention::decomposed);
  const Array queries = download_from(exact.q), values = download_from(exact.v);
  expect_close(download_from(actual.q), queries,
               (2 * 10 * (1 + 4) + 2 * static_cast<double>(queries.max_abs())) * unit_roundoff<half>,
               "queries");
  // The gradient of the rows' results, up to 4, is rounded, weighted, and summed over a row's 9 queries.
  expect_close(download_from(actual.v), values,
               (4 * 9 + static_cast<double>(values.max_abs())) * unit_roundoff<half>, "values");
}

}  // namespace
}  // namespace dformer::testing
