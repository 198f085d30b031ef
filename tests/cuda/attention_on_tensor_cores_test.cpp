// Attention in half and bfloat16 on tensor cores beside float32, at sizes that leave tiles, blocks and warps
// ragged.
#include <cuda/sixteen_bit.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

/// The weights, which add up to 1, are rounded before they meet the values, and so is what they give.
template <class T>
void expect_rounded_weights(const cuda::Tensor<T>& actual, const cuda::Tensor<float>& exact,
                            const Array& values, int roundings, const std::string& what) {
  const double bound = roundings * 2 * unit_roundoff<T> * static_cast<double>(values.max_abs()) + 1e-6;
  expect_close(download_from(actual), download_from(exact), bound, what);
}

template <class T>
void every_head_and_length(std::initializer_list<int> head_dims) {
  for (const int head_dim : head_dims) {
    for (const auto& [queries, keys] : {std::pair{1, 1}, {17, 5}, {49, 33}}) {
      const std::string what = "heads of " + std::to_string(head_dim) + ", " + std::to_string(queries) +
                               " queries, " + std::to_string(keys) + " keys";
      const int channels = 2 * head_dim;
      const Array q = rounded_to<T>(random_array({2, queries, channels}, 1)),
                  kv = rounded_to<T>(random_array({2, keys, 2 * channels}, 2));
      const auto exact = Cuda<float>::attention(upload_as<float>(q), upload_as<float>(kv), 2, 0.8f);
      for (const cuda::Device& device : test_devices()) {
        const auto actual = Cuda<T>::attention(upload_as<T>(device, q), upload_as<T>(device, kv), 2, 0.8f);
        expect_rounded_weights(actual, exact, kv, 1, what);
      }
    }
  }
}
TEST(AttentionOnTensorCores, EveryHeadAndLengthInHalf) {
  every_head_and_length<half>({4, 8, 24, 36, 48, 64});
}
TEST(AttentionOnTensorCores, EveryHeadAndLengthInBfloat16) {
  every_head_and_length<bfloat16>({32});
}

// Few queries of many keys, which are cut into parts.
TEST(AttentionOnTensorCores, PartsOfTheKeys) {
  const Array q = rounded_to<half>(random_array({1, 9, 48}, 1)),
              kv = rounded_to<half>(random_array({1, 500, 96}, 2));
  const auto exact = Cuda<float>::attention(upload_as<float>(q), upload_as<float>(kv), 1, 0.3f);
  expect_rounded_weights(Cuda<half>::attention(upload_as<half>(q), upload_as<half>(kv), 1, 0.3f), exact, kv,
                         1, "parts");
}

// exp of the scores themselves would be infinite.
TEST(AttentionOnTensorCores, LargeScores) {
  const Array q = rounded_to<half>(random_array({1, 20, 16}, 1)),
              kv = rounded_to<half>(random_array({1, 40, 32}, 2));
  const auto exact = Cuda<float>::attention(upload_as<float>(q), upload_as<float>(kv), 1, 500.0f);
  const auto actual = Cuda<half>::attention(upload_as<half>(q), upload_as<half>(kv), 1, 500.0f);
  expect_rounded_weights(actual, exact, kv, 1, "scores of some thousands");
}

// Heads that do not fit, and devices that are told not to, go without; their weights are not rounded.
TEST(AttentionOnTensorCores, OnlyWhereAskedFor) {
  const Array q = rounded_to<half>(random_array({1, 20, 16}, 1)),
              kv = rounded_to<half>(random_array({1, 40, 32}, 2));
  const cuda::Device device({.tensor_cores = false});
  expect_rounded(Cuda<half>::attention(upload_as<half>(device, q), upload_as<half>(device, kv), 1, 0.5f),
                 Cuda<float>::attention(upload_as<float>(q), upload_as<float>(kv), 1, 0.5f),
                 "without tensor cores");
}

template <class T>
struct GeometryOnTensorCores {
  Array q, k, v, depth;
  Array weight{{2, 1, 1, 1}, {1.2f, 0.7f}}, decay{{2}, {-0.3f, -0.05f}};

  GeometryOnTensorCores(std::int64_t images, std::int64_t height, std::int64_t width, std::int64_t channels)
      : q(rounded_to<T>(random_array({images, height, width, channels}, 1))),
        k(rounded_to<T>(random_array({images, height, width, channels}, 2))),
        v(rounded_to<T>(random_array({images, height, width, channels}, 3))),
        depth(rounded_to<T>(random_array({images, height, width, 1}, 4))) {}

  template <class S>
  cuda::Tensor<S> attend(GeometryAttention kind, const cuda::Device& device) const {
    const auto parameter = [&](const Array& array) {
      return Cuda<S>::weight_from_host(device, WeightLayout::plain, array.shape, array.values);
    };
    return Cuda<S>::geometry_attention(
        upload_as<S>(device, q), upload_as<S>(device, k), upload_as<S>(device, v),
        {upload_as<S>(device, depth), parameter(weight), parameter(decay)}, 2, kind);
  }
  void check() const {
    for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
      const auto exact = attend<float>(kind, cuda::default_device());
      const int roundings = kind == GeometryAttention::decomposed ? 2 : 1;
      for (const cuda::Device& device : test_devices()) {
        expect_rounded_weights(attend<T>(kind, device), exact, v, roundings, to_string(q.shape));
      }
    }
  }
};
TEST(GeometryAttentionOnTensorCores, InHalf) {
  GeometryOnTensorCores<half>(2, 3, 37, 32).check();
  GeometryOnTensorCores<half>(1, 19, 5, 64).check();
}
TEST(GeometryAttentionOnTensorCores, InBfloat16) {
  GeometryOnTensorCores<bfloat16>(1, 7, 18, 32).check();
}

}  // namespace
}  // namespace dformer::testing
