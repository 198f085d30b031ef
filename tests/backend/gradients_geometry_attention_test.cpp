#include <cmath>

#include <backend/gradient_check.hpp>

namespace dformer::testing {
namespace {

using Values = std::vector<double>;

struct Prior {
  Array depth, weight, decay;
};

/// Attention with the prior and its derivatives written down, in double.
struct NaiveGeometry {
  Shape shape;
  int num_heads;
  Values q, k;
  Prior prior;
  Values dq, dk;
  double weight[2] = {};

  NaiveGeometry(const Array& queries, const Array& keys, Prior given, int heads)
      : shape(queries.shape),
        num_heads(heads),
        q(queries.values.begin(), queries.values.end()),
        k(keys.values.begin(), keys.values.end()),
        prior(std::move(given)),
        dq(q.size()),
        dk(q.size()) {}

  enum class Among { row, column, grid };

  /// The result; where dy is given also dv, and what dq, dk and the weights' gradients get.
  Values attend(Among among, const Values& v, const Values* dy = nullptr, Values* dv = nullptr) {
    const std::size_t width = static_cast<std::size_t>(shape[2]),
                      channels = static_cast<std::size_t>(shape[3]),
                      tokens = static_cast<std::size_t>(shape[1]) * width;
    const std::size_t head_dim = channels / static_cast<std::size_t>(num_heads);
    Values y(v.size());
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]) * tokens; ++i) {
      std::vector<std::size_t> others;
      for (std::size_t j = i / tokens * tokens; j < (i / tokens + 1) * tokens; ++j) {
        const bool same = among == Among::row ? i / width == j / width : i % width == j % width;
        if (among == Among::grid || same) others.push_back(j);
      }
      for (std::size_t head = 0; head < static_cast<std::size_t>(num_heads); ++head) {
        const std::size_t first = head * head_dim;
        Values share, near, far;
        double largest = -1e300, total = 0;
        const double decay = static_cast<double>(prior.decay.values[head]);
        for (const std::size_t j : others) {
          const auto apart = [](std::size_t a, std::size_t b) {
            return std::abs(static_cast<double>(a) - static_cast<double>(b));
          };
          near.push_back(decay *
                         (apart(i % tokens / width, j % tokens / width) + apart(i % width, j % width)));
          far.push_back(decay * std::abs(static_cast<double>(prior.depth.values[i]) -
                                         static_cast<double>(prior.depth.values[j])));
          double score = near.back() * static_cast<double>(prior.weight.values[0]) +
                         far.back() * static_cast<double>(prior.weight.values[1]);
          for (std::size_t c = first; c < first + head_dim; ++c) {
            score += q[i * channels + c] * k[j * channels + c];
          }
          share.push_back(score);
          largest = std::max(largest, score);
        }
        for (double& value : share) total += value = std::exp(value - largest);
        double mean = 0;
        Values response(others.size());
        for (std::size_t j = 0; j < others.size(); ++j) {
          share[j] /= total;
          for (std::size_t c = first; c < first + head_dim; ++c) {
            y[i * channels + c] += share[j] * v[others[j] * channels + c];
            if (dy != nullptr) response[j] += (*dy)[i * channels + c] * v[others[j] * channels + c];
          }
          mean += share[j] * response[j];
        }
        if (dy == nullptr) continue;
        for (std::size_t j = 0; j < others.size(); ++j) {
          const double score = share[j] * (response[j] - mean);
          weight[0] += score * near[j];
          weight[1] += score * far[j];
          for (std::size_t c = first; c < first + head_dim; ++c) {
            const std::size_t query = i * channels + c, key = others[j] * channels + c;
            dq[query] += score * k[key];
            dk[key] += score * q[query];
            (*dv)[key] += share[j] * (*dy)[query];
          }
        }
      }
    }
    return y;
  }

  /// The gradient of v.
  Values gradients(GeometryAttention kind, const Values& v, const Values& dy) {
    Values dv(v.size());
    if (kind == GeometryAttention::full) {
      attend(Among::grid, v, &dy, &dv);
      return dv;
    }
    const Values rows = attend(Among::row, v);
    Values rows_gradient(v.size());
    attend(Among::column, rows, &dy, &rows_gradient);
    attend(Among::row, v, &rows_gradient, &dv);
    return dv;
  }
};

/// Decays as DFormerv2 has them, depths in [-1, 1).
Prior make_prior(const Shape& grid, int num_heads) {
  Prior prior{random_array(grid.with_back(1), 4), {{2, 1, 1, 1}, {1.2f, 0.7f}}, {{num_heads}, {}}};
  for (int h = 0; h < num_heads; ++h) {
    prior.decay.values.push_back(static_cast<float>(std::log(1 - std::exp2(-2 - 4.0 * h / num_heads))));
  }
  return prior;
}

template <class B = TestBackend>
GeometryAttentionGradients<typename B::Tensor> geometry_gradients(const typename B::Device& device,
                                                                  GeometryAttention kind, const Shape& grid,
                                                                  int num_heads) {
  const auto made = [&](const Array& array) { return B::from_host(device, array.shape, array.values); };
  const Prior prior = make_prior(grid, num_heads);
  return Gradients<B>::geometry_attention(made(random_array(grid, 1)), made(random_array(grid, 2)),
                                          made(random_array(grid, 3)),
                                          {made(prior.depth), made(prior.weight), made(prior.decay)},
                                          num_heads, kind, made(random_array(grid, 5)));
}

void expect_naive(GeometryAttention kind, const Shape& grid, int num_heads) {
  const Array v = random_array(grid, 3), dy = random_array(grid, 5);
  NaiveGeometry naive(random_array(grid, 1), random_array(grid, 2), make_prior(grid, num_heads), num_heads);
  const Values dv =
      naive.gradients(kind, {v.values.begin(), v.values.end()}, {dy.values.begin(), dy.values.end()});
  const Values weight(naive.weight, naive.weight + 2);
  const std::string what = to_string(grid) + (kind == GeometryAttention::full ? " full, " : " decomposed, ");
  for (const auto& device : test_devices()) {
    const auto gradients = geometry_gradients(device, kind, grid, num_heads);
    expect_near_all(download(gradients.q), naive.dq, 1e-5, what + "queries");
    expect_near_all(download(gradients.k), naive.dk, 1e-5, what + "keys");
    expect_near_all(download(gradients.v), dv, 1e-5, what + "values");
    expect_near_all(download(gradients.weight), weight, 1e-5, what + "weights");
#if !defined(DFORMER_TEST_CUDA)
    const auto in_double = geometry_gradients<Cpu<double>>(device, kind, grid, num_heads);
    expect_near_all(in_double.q, naive.dq, 1e-12, what + "queries in double");
    expect_near_all(in_double.k, naive.dk, 1e-12, what + "keys in double");
    expect_near_all(in_double.v, dv, 1e-12, what + "values in double");
    expect_near_all(in_double.weight, weight, 1e-12, what + "weights in double");
#endif
  }
}

// The emulation takes some microseconds for each thread at each barrier, so that its sizes are fewer and
// smaller.
#if defined(DFORMER_CUDA_EMULATION)
const std::vector<std::int64_t> heights{1, 3}, widths{1, 5}, head_dims{5, 33};
const std::vector<std::pair<Shape, GeometryAttention>> large_grids{
    {{1, 2, 40, 12}, GeometryAttention::decomposed},
    {{1, 35, 2, 36}, GeometryAttention::decomposed},
    {{1, 5, 8, 36}, GeometryAttention::full}};
const Shape grid_of_agreement{1, 4, 9, 48};
#else
const std::vector<std::int64_t> heights{1, 2, 5, 17}, widths{1, 3, 8, 17}, head_dims{5, 16, 33};
const std::vector<std::pair<Shape, GeometryAttention>> large_grids{
    {{1, 3, 165, 12}, GeometryAttention::decomposed},
    {{1, 133, 2, 36}, GeometryAttention::decomposed},
    {{1, 15, 20, 36}, GeometryAttention::full}};
const Shape grid_of_agreement{2, 21, 43, 48};
#endif

TEST(GeometryAttentionGradients, EveryGrid) {
  for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
    for (const std::int64_t height : heights) {
      for (const std::int64_t width : widths) {
        for (const std::int64_t head_dim : head_dims) {
          expect_naive(kind, {2, height, width, 2 * head_dim}, 2);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(GeometryAttentionGradients, LongRowsLongColumnsManyTokens) {
  for (const auto& [grid, kind] : large_grids) expect_naive(kind, grid, 1);
}

#if !defined(DFORMER_TEST_CUDA)
TEST(GeometryAttentionGradients, AreTheDifferencesOfTheAttention) {
  const Shape grid{2, 4, 5, 12};
  for (const auto& device : test_devices()) {
    const DoubleTensor q = upload_double(device, random_array(grid, 6));
    const DoubleTensor k = upload_double(device, random_array(grid, 7));
    const DoubleTensor v = upload_double(device, random_array(grid, 8));
    const DoubleTensor dy = upload_double(device, random_array(grid, 9));
    const Prior given = make_prior(grid, 2);
    const GeometryPrior<DoubleTensor> prior{upload_double(device, given.depth),
                                            upload_double(device, given.weight),
                                            upload_double(device, given.decay)};
    for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
      const auto loss = [&] { return dot(Cpu<double>::geometry_attention(q, k, v, prior, 2, kind), dy); };
      const auto gradients = Gradients<Cpu<double>>::geometry_attention(q, k, v, prior, 2, kind, dy);
      EXPECT_LE(largest_deviation(q, gradients.q, loss), 1e-9);
      EXPECT_LE(largest_deviation(k, gradients.k, loss), 1e-9);
      EXPECT_LE(largest_deviation(v, gradients.v, loss), 1e-9);
      EXPECT_LE(largest_deviation(prior.weight, gradients.weight, loss), 1e-9);
    }
  }
}

#endif

TEST(GeometryAttentionGradients, ThreadsDoNotChangeTheResult) {
  for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
    expect_same_on_all_devices([&](const auto& device) {
      const auto gradients = geometry_gradients(device, kind, grid_of_agreement, 3);
      return std::vector{download(gradients.q).values, download(gradients.k).values,
                         download(gradients.v).values, download(gradients.weight).values};
    });
  }
}

TEST(GeometryAttentionGradients, OfNothing) {
  const auto gradients =
      geometry_gradients(TestBackend::default_device(), GeometryAttention::decomposed, {0, 2, 3, 8}, 2);
  EXPECT_EQ(download(gradients.weight).max_abs(), 0);
}

TEST(GeometryAttentionGradients, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& depth, const Shape& dy) -> std::string {
    const auto make = [&](const Shape& shape) { return TestBackend::empty(device, shape); };
    const Tensor x = make({1, 2, 3, 8});
    try {
      Gradients<TestBackend>::geometry_attention(x, x, x, {make(depth), make({2, 1, 1, 1}), make({2})}, 2,
                                                 GeometryAttention::full, make(dy));
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(
      text({1, 4, 6, 1}, {1, 2, 3, 8}),
      "[geometry_attention] depth must be [N, H, W, 1] on the token grid; got (1, 2, 3, 8) (1, 4, 6, 1)");
  EXPECT_EQ(text({1, 2, 3, 1}, {1, 2, 4, 8}),
            "[geometry_attention gradient] operands must have the same shape; got (1, 2, 3, 8) (1, 2, 4, 8)");
}

}  // namespace
}  // namespace dformer::testing
