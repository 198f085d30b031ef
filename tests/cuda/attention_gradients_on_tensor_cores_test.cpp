// The gradients of attention in half and bfloat16 on tensor cores beside float32, at sizes that leave tiles,
// blocks and warps ragged.
#include <functional>

#include <cuda/sixteen_bit.hpp>
#include <support/backend_under_test.hpp>

#include <dformer/backend/cuda/gradients/gradients.hpp>

namespace dformer::testing {
namespace {

/// What is added up to each element of the gradients, without signs: weights and the scores' gradients are
/// rounded before they are, so that an element is off by at most their roundoff times this.
struct Magnitudes {
  Array q, k, v;

  /// q, dy [images, queries, channels], k, v [images, keys, channels]; score(product, image, head, query,
  /// key).
  using Score = std::function<double(double, std::int64_t, std::int64_t, std::int64_t, std::int64_t)>;
  Magnitudes(const Array& queries, const Array& keys, const Array& values, const Array& dy, int heads,
             double scale, const Score& score)
      : q{queries.shape, std::vector<float>(queries.values.size())},
        k{keys.shape, std::vector<float>(keys.values.size())},
        v(k) {
    const auto tokens = [](const Array& x) { return x.shape.numel() / x.shape[0] / x.shape.back(); };
    const std::int64_t channels = q.shape.back(), head_dim = channels / heads, count = tokens(keys);
    const auto dot = [&](const Array& a, std::int64_t at, const Array& b, std::int64_t from) {
      double sum = 0;
      for (std::int64_t c = 0; c < head_dim; ++c) sum += element(a, at + c) * element(b, from + c);
      return sum;
    };
    for (std::int64_t n = 0; n < q.shape[0]; ++n) {
      for (std::int64_t head = 0; head < heads; ++head) {
        for (std::int64_t i = 0; i < tokens(queries); ++i) {
          const std::int64_t query = (n * tokens(queries) + i) * channels + head * head_dim;
          const auto key = [&](std::int64_t j) { return (n * count + j) * channels + head * head_dim; };
          std::vector<double> weight, response;
          double total = 0, mean = 0;
          for (std::int64_t j = 0; j < count; ++j) {
            weight.push_back(std::exp(score(scale * dot(queries, query, keys, key(j)), n, head, i, j)));
            response.push_back(dot(dy, query, values, key(j)));
            total += weight.back();
            mean += weight.back() * response.back();
          }
          for (std::int64_t j = 0; j < count; ++j) {
            const auto at = static_cast<std::size_t>(j);
            const double share = weight[at] / total, gradient = share * std::abs(response[at] - mean / total);
            for (std::int64_t c = 0; c < head_dim; ++c) {
              add(q, query + c, scale * gradient * std::abs(element(keys, key(j) + c)));
              add(k, key(j) + c, scale * gradient * std::abs(element(queries, query + c)));
              add(v, key(j) + c, share * std::abs(element(dy, query + c)));
            }
          }
        }
      }
    }
  }

 private:
  static double element(const Array& array, std::int64_t at) {
    return static_cast<double>(array.values[static_cast<std::size_t>(at)]);
  }
  static void add(Array& array, std::int64_t at, double value) {
    array.values[static_cast<std::size_t>(at)] += static_cast<float>(value);
  }
};

/// Off by a roundoff of what was added up, and of what is stored; and by 1e-5 for what float32 leaves open,
/// and half's numbers that are too small for its precision.
template <class T>
void expect_rounded_terms(const Array& actual, const Array& exact, const Array& magnitudes,
                          const std::string& what) {
  ASSERT_EQ(to_string(actual.shape), to_string(exact.shape)) << what;
  for (std::size_t i = 0; i < exact.values.size(); ++i) {
    const double expected = static_cast<double>(exact.values[i]);
    const double bound =
        1.01 * unit_roundoff<T> * (static_cast<double>(magnitudes.values[i]) + std::abs(expected)) + 1e-5;
    ASSERT_NEAR(static_cast<double>(actual.values[i]), expected, bound) << what << ": element " << i;
  }
}

/// Two arrays [N, T, C] as one [N, T, 2C].
Array beside(const Array& a, const Array& b) {
  Array both{a.shape.with_back(2 * a.shape.back()), {}};
  const auto channels = static_cast<std::ptrdiff_t>(a.shape.back());
  for (auto x = a.values.begin(), y = b.values.begin(); x != a.values.end(); x += channels, y += channels) {
    both.values.insert(both.values.end(), x, x + channels);
    both.values.insert(both.values.end(), y, y + channels);
  }
  return both;
}

template <class T>
void expect_gradients(std::int64_t queries, std::int64_t keys, int head_dim, int heads = 2,
                      float scale = 0.8f) {
  const std::string what = "heads of " + std::to_string(head_dim) + ", " + std::to_string(queries) +
                           " queries, " + std::to_string(keys) + " keys";
  const int channels = heads * head_dim;
  const Array q = rounded_to<T>(random_array({2, queries, channels}, 1)),
              k = rounded_to<T>(random_array({2, keys, channels}, 2)),
              v = rounded_to<T>(random_array({2, keys, channels}, 3)),
              dy = rounded_to<T>(random_array({2, queries, channels}, 4));
  const Array kv = beside(k, v);
  const Magnitudes magnitudes(q, k, v, dy, heads, static_cast<double>(scale),
                              [](double product, auto...) { return product; });
  const auto exact = Gradients<Cuda<float>>::attention(upload_as<float>(q), upload_as<float>(kv), heads,
                                                       scale, upload_as<float>(dy));
  for (const cuda::Device& device : test_devices()) {
    const auto actual = Gradients<Cuda<T>>::attention(upload_as<T>(device, q), upload_as<T>(device, kv),
                                                      heads, scale, upload_as<T>(device, dy));
    expect_rounded_terms<T>(download_from(actual.q), download_from(exact.q), magnitudes.q,
                            what + ", queries");
    expect_rounded_terms<T>(download_from(actual.kv), download_from(exact.kv),
                            beside(magnitudes.k, magnitudes.v), what + ", keys and values");
  }
}

TEST(AttentionGradientsOnTensorCores, EveryHeadInHalf) {
  for (const int head_dim : {4, 24, 36, 64}) expect_gradients<half>(17, 37, head_dim);
}
TEST(AttentionGradientsOnTensorCores, EveryLengthInHalf) {
  expect_gradients<half>(1, 1, 16);
  expect_gradients<half>(49, 5, 16);
  expect_gradients<half>(5, 65, 32);
}
TEST(AttentionGradientsOnTensorCores, InBfloat16) {
  expect_gradients<bfloat16>(33, 18, 32);
}
// Few queries of many keys, which are cut into parts.
TEST(AttentionGradientsOnTensorCores, PartsOfTheKeys) {
  expect_gradients<half>(9, 500, 36, 1, 0.3f);
}

template <class T>
struct GeometryGradientsCase {
  static constexpr int heads = 2;
  Array q, k, v, dy, depth;
  Array weight{{2, 1, 1, 1}, {1.2f, 0.7f}}, decay{{2}, {-0.3f, -0.05f}};

  explicit GeometryGradientsCase(const Shape& grid)
      : q(rounded_to<T>(random_array(grid, 1))),
        k(rounded_to<T>(random_array(grid, 2))),
        v(rounded_to<T>(random_array(grid, 3))),
        dy(rounded_to<T>(random_array(grid, 4))),
        depth(rounded_to<T>(random_array(grid.with_back(1), 5))) {}

  template <class S>
  GeometryPrior<cuda::Tensor<S>> prior(const cuda::Device& device) const {
    const auto parameter = [&](const Array& array) {
      return Cuda<S>::weight_from_host(device, WeightLayout::plain, array.shape, array.values);
    };
    return {upload_as<S>(device, depth), parameter(weight), parameter(decay)};
  }
  template <class S>
  cuda::Tensor<S> attend(GeometryAttention kind) const {
    const cuda::Device& device = cuda::default_device();
    return Cuda<S>::geometry_attention(upload_as<S>(q), upload_as<S>(k), upload_as<S>(v), prior<S>(device),
                                       heads, kind);
  }
  template <class S>
  GeometryAttentionGradients<cuda::Tensor<S>> gradients(GeometryAttention kind,
                                                        const cuda::Device& device) const {
    return Gradients<Cuda<S>>::geometry_attention(upload_as<S>(device, q), upload_as<S>(device, k),
                                                  upload_as<S>(device, v), prior<S>(device), heads, kind,
                                                  upload_as<S>(device, dy));
  }
  double score(double product, std::int64_t n, std::int64_t head, std::int64_t i, std::int64_t j) const {
    const std::int64_t width = q.shape[2], tokens = q.shape[1] * width;
    const auto apart = [](std::int64_t a, std::int64_t b) { return static_cast<double>(std::abs(a - b)); };
    const auto depth_of = [&](std::int64_t token) {
      return static_cast<double>(depth.values[static_cast<std::size_t>(n * tokens + token)]);
    };
    return product + static_cast<double>(decay.values[static_cast<std::size_t>(head)]) *
                         (static_cast<double>(weight.values[0]) *
                              (apart(i / width, j / width) + apart(i % width, j % width)) +
                          static_cast<double>(weight.values[1]) * std::abs(depth_of(i) - depth_of(j)));
  }
  /// Of a grid that is one line, whatever its kind, or of any grid as a whole.
  void check(GeometryAttention kind) const {
    const std::string what = to_string(q.shape);
    const Magnitudes magnitudes(q, k, v, dy, heads, 1.0,
                                [this](double product, auto... where) { return score(product, where...); });
    const auto exact = gradients<float>(kind, cuda::default_device());
    for (const cuda::Device& device : test_devices()) {
      const auto actual = gradients<T>(kind, device);
      expect_rounded_terms<T>(download_from(actual.q), download_from(exact.q), magnitudes.q,
                              what + ", queries");
      expect_rounded_terms<T>(download_from(actual.k), download_from(exact.k), magnitudes.k, what + ", keys");
      expect_rounded_terms<T>(download_from(actual.v), download_from(exact.v), magnitudes.v,
                              what + ", values");
      // Gradients of scores are not rounded for these.
      expect_close(download_from(actual.weight), download_from(exact.weight), 1e-4,
                   what + ", the prior's weights");
    }
  }
};
TEST(GeometryGradientsOnTensorCores, AWholeGrid) {
  GeometryGradientsCase<half>({2, 5, 7, 32}).check(GeometryAttention::full);
  GeometryGradientsCase<bfloat16>({1, 6, 9, 64}).check(GeometryAttention::full);
}
// More tokens of heads of 64 than a tile has room for.
TEST(GeometryGradientsOnTensorCores, SeveralTiles) {
  GeometryGradientsCase<half>({1, 2, 67, 128}).check(GeometryAttention::full);
}
TEST(GeometryGradientsOnTensorCores, OneLine) {
  GeometryGradientsCase<half>({1, 1, 53, 32}).check(GeometryAttention::decomposed);
  GeometryGradientsCase<half>({1, 35, 1, 24}).check(GeometryAttention::decomposed);
}

/// [N, H, W, C] with H and W changed for one another.
Array turned(const Array& array) {
  const std::int64_t height = array.shape[1], width = array.shape[2], channels = array.shape[3];
  Array result{{array.shape[0], width, height, channels}, {}};
  for (std::int64_t n = 0; n < array.shape[0]; ++n) {
    for (std::int64_t w = 0; w < width; ++w) {
      for (std::int64_t h = 0; h < height; ++h) {
        const auto from = array.values.begin() + ((n * height + h) * width + w) * channels;
        result.values.insert(result.values.end(), from, from + channels);
      }
    }
  }
  return result;
}

/// Each row of the grids as a grid.
template <class T>
GeometryGradientsCase<T> rows_of(GeometryGradientsCase<T> grids) {
  for (Array* array : {&grids.q, &grids.k, &grids.v, &grids.dy, &grids.depth}) {
    const Shape& shape = array->shape;
    array->shape = {shape[0] * shape[1], 1, shape[2], shape[3]};
  }
  return grids;
}
template <class T>
GeometryGradientsCase<T> turned(GeometryGradientsCase<T> grids) {
  for (Array* array : {&grids.q, &grids.k, &grids.v, &grids.dy, &grids.depth}) *array = turned(*array);
  return grids;
}

// Rows and columns one after the other, as grids of their own. What both have a share of, the first share is
// rounded; here the second one is, too.
TEST(GeometryGradientsOnTensorCores, Decomposed) {
  const GeometryGradientsCase<half> grid({2, 5, 19, 32});
  const cuda::Device& device = cuda::default_device();
  const auto actual = grid.gradients<half>(GeometryAttention::decomposed, device);

  GeometryGradientsCase<half> rows = rows_of(grid);
  GeometryGradientsCase<half> columns = turned(grid);
  columns.v = turned(Array{grid.q.shape, download_from(rows.attend<half>(GeometryAttention::full)).values});
  const auto of_columns = rows_of(columns).gradients<half>(GeometryAttention::full, device);
  const auto back = [&](const cuda::Tensor<half>& x) {
    return turned(Array{columns.q.shape, download_from(x).values});
  };
  rows.dy = Array{rows.q.shape, back(of_columns.v).values};
  const auto of_rows = rows.gradients<half>(GeometryAttention::full, device);

  EXPECT_EQ(download_from(actual.v).values, download_from(of_rows.v).values);
  const auto expect_sum = [&](const cuda::Tensor<half>& sum, const cuda::Tensor<half>& row_share,
                              const cuda::Tensor<half>& column_share) {
    const Array s = download_from(sum), r = download_from(row_share), c = back(column_share);
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const double share = static_cast<double>(r.values[i]);
      const double expected = share + static_cast<double>(c.values[i]);
      ASSERT_NEAR(static_cast<double>(s.values[i]), expected,
                  unit_roundoff<half> * 1.01 * (std::abs(share) + std::abs(expected)) + 1e-7);
    }
  };
  expect_sum(actual.q, of_rows.q, of_columns.q);
  expect_sum(actual.k, of_rows.k, of_columns.k);
  const Array weight = download_from(actual.weight), a = download_from(of_rows.weight),
              b = download_from(of_columns.weight);
  for (std::size_t i = 0; i < 2; ++i) {
    const double sum = static_cast<double>(a.values[i]) + static_cast<double>(b.values[i]);
    EXPECT_NEAR(static_cast<double>(weight.values[i]), sum, 1e-6 * std::max(1.0, std::abs(sum)));
  }
}

}  // namespace
}  // namespace dformer::testing
