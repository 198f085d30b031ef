#include <cmath>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

struct Prior {
  Array depth, weight, decay;
};

/// Attention of token i to the tokens `others`, in double, written to y.
void naive_token(const Array& q, const Array& k, const Array& v, const Prior& prior, std::int64_t head,
                 std::int64_t head_dim, std::int64_t i, const std::vector<std::int64_t>& others, Array& y) {
  const std::int64_t width = q.shape[2], channels = q.shape[3], tokens = q.shape[1] * width;
  const auto at = [](const Array& array, std::int64_t index) {
    return static_cast<double>(array.values[static_cast<std::size_t>(index)]);
  };
  std::vector<double> scores;
  double largest = -1e300;
  for (const std::int64_t j : others) {
    double score = 0;
    for (std::int64_t c = head * head_dim; c < (head + 1) * head_dim; ++c) {
      score += at(q, i * channels + c) * at(k, j * channels + c);
    }
    const std::int64_t rows = i % tokens / width - j % tokens / width, columns = i % width - j % width;
    score +=
        at(prior.decay, head) * at(prior.weight, 0) * static_cast<double>(std::abs(rows) + std::abs(columns));
    score += at(prior.decay, head) * at(prior.weight, 1) * std::abs(at(prior.depth, i) - at(prior.depth, j));
    scores.push_back(score);
    largest = std::max(largest, score);
  }
  double total = 0;
  for (double& score : scores) total += score = std::exp(score - largest);
  for (std::int64_t c = head * head_dim; c < (head + 1) * head_dim; ++c) {
    double sum = 0;
    for (std::size_t j = 0; j < others.size(); ++j) sum += scores[j] * at(v, others[j] * channels + c);
    y.values[static_cast<std::size_t>(i * channels + c)] = static_cast<float>(sum / total);
  }
}

enum class Tokens { row, column, grid };

Array naive_among(Tokens among, const Array& q, const Array& k, const Array& v, const Prior& prior,
                  int num_heads) {
  const std::int64_t height = q.shape[1], width = q.shape[2], tokens = height * width;
  Array y{q.shape, std::vector<float>(q.values.size())};
  for (std::int64_t i = 0; i < q.shape[0] * tokens; ++i) {
    std::vector<std::int64_t> others;
    for (std::int64_t j = i / tokens * tokens; j < (i / tokens + 1) * tokens; ++j) {
      const bool same_row = i / width == j / width, same_column = i % width == j % width;
      if (among == Tokens::grid || (among == Tokens::row ? same_row : same_column)) others.push_back(j);
    }
    for (std::int64_t head = 0; head < num_heads; ++head) {
      naive_token(q, k, v, prior, head, q.shape[3] / num_heads, i, others, y);
    }
  }
  return y;
}

Array naive_geometry(GeometryAttention kind, const Array& q, const Array& k, const Array& v,
                     const Prior& prior, int num_heads) {
  if (kind == GeometryAttention::full) return naive_among(Tokens::grid, q, k, v, prior, num_heads);
  return naive_among(Tokens::column, q, k, naive_among(Tokens::row, q, k, v, prior, num_heads), prior,
                     num_heads);
}

Array geometry(const TestBackend::Device& device, GeometryAttention kind, const Array& q, const Array& k,
               const Array& v, const Prior& prior, int num_heads) {
  const GeometryPrior<Tensor> uploaded{upload(device, prior.depth), upload(device, prior.weight),
                                       upload(device, prior.decay)};
  return download(TestBackend::geometry_attention(upload(device, q), upload(device, k), upload(device, v),
                                                  uploaded, num_heads, kind));
}

/// Decays as DFormerv2 has them, depths in [-1, 1) times `range`.
Prior make_prior(const Shape& grid, int num_heads, float range = 1) {
  Prior prior{random_array(grid.with_back(1), 4), {{2, 1, 1, 1}, {1.2f, 0.7f}}, {{num_heads}, {}}};
  for (float& depth : prior.depth.values) depth *= range;
  for (int h = 0; h < num_heads; ++h) {
    prior.decay.values.push_back(static_cast<float>(std::log(1 - std::exp2(-2 - 4.0 * h / num_heads))));
  }
  return prior;
}

// The emulation takes some microseconds for each thread at each barrier, so that its sizes are fewer and
// smaller.
#if defined(DFORMER_CUDA_EMULATION)
const std::vector<std::int64_t> heights{1, 5}, widths{1, 7};
const std::vector<std::pair<Shape, GeometryAttention>> large_grids{
    {{1, 2, 70, 12}, GeometryAttention::decomposed},
    {{1, 66, 2, 36}, GeometryAttention::decomposed},
    {{1, 7, 10, 36}, GeometryAttention::full}};
const Shape grid_of_agreement{1, 5, 13, 48};
#else
const std::vector<std::int64_t> heights{1, 2, 5, 16, 17}, widths{1, 3, 8, 15, 17};
const std::vector<std::pair<Shape, GeometryAttention>> large_grids{
    {{1, 3, 300, 12}, GeometryAttention::decomposed},
    {{1, 271, 2, 36}, GeometryAttention::decomposed},
    {{1, 15, 20, 36}, GeometryAttention::full}};
const Shape grid_of_agreement{2, 21, 43, 48};
#endif

TEST(GeometryAttention, EveryGrid) {
  for (const auto& device : test_devices()) {
    for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
      for (const std::int64_t height : heights) {
        for (const std::int64_t width : widths) {
          for (const std::int64_t head_dim : {5, 16}) {
            const Shape grid{2, height, width, 2 * head_dim};
            const Array q = random_array(grid, 1), k = random_array(grid, 2), v = random_array(grid, 3);
            const Prior prior = make_prior(grid, 2);
            const Array expected = naive_geometry(kind, q, k, v, prior, 2);
            expect_close(geometry(device, kind, q, k, v, prior, 2), expected, op_tolerance(expected),
                         to_string(grid) + (kind == GeometryAttention::full ? " full" : " decomposed"));
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(GeometryAttention, LongRowsLongColumnsManyTokens) {
  for (const auto& device : test_devices()) {
    for (const auto& [grid, kind] : large_grids) {
      const Array q = random_array(grid, 1), k = random_array(grid, 2), v = random_array(grid, 3);
      const Prior prior = make_prior(grid, 1);
      const Array expected = naive_geometry(kind, q, k, v, prior, 1);
      expect_close(geometry(device, kind, q, k, v, prior, 1), expected, op_tolerance(expected),
                   to_string(grid));
    }
  }
}

// Depths so far apart that nearly all weights vanish, and with a growing prior that nearly all of it lies far
// away.
TEST(GeometryAttention, LargeDepthDifferences) {
  const Shape grid{1, 9, 11, 32};
  const Array q = random_array(grid, 1), k = random_array(grid, 2), v = random_array(grid, 3);
  for (const float sign : {1.0f, -1.0f}) {
    Prior prior = make_prior(grid, 2, 1e4f);
    for (float& weight : prior.weight.values) weight *= sign;
    for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
      const Array expected = naive_geometry(kind, q, k, v, prior, 2);
      for (const auto& device : test_devices()) {
        // Scores reach 1e4, where float's spacing is 1e-3.
        expect_close(geometry(device, kind, q, k, v, prior, 2), expected, 5e-3, "depths of 1e4");
      }
    }
  }
}

TEST(GeometryAttention, ThreadsDoNotChangeTheResult) {
  const Shape& grid = grid_of_agreement;
  const Array q = random_array(grid, 1), k = random_array(grid, 2), v = random_array(grid, 3);
  const Prior prior = make_prior(grid, 3);
  for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
    expect_same_on_all_devices(
        [&](const auto& device) { return geometry(device, kind, q, k, v, prior, 3).values; });
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(GeometryAttention, InDouble) {
  const Shape grid{1, 13, 35, 20};
  const Array q = random_array(grid, 1), k = random_array(grid, 2), v = random_array(grid, 3);
  const Prior prior = make_prior(grid, 2);
  for (const auto& device : test_devices()) {
    const auto upload_double = [&](const Array& a) {
      return Cpu<double>::from_host(device, a.shape, a.values);
    };
    for (const auto kind : {GeometryAttention::decomposed, GeometryAttention::full}) {
      Array y{grid, std::vector<float>(q.values.size())};
      Cpu<double>::to_host(
          Cpu<double>::geometry_attention(
              upload_double(q), upload_double(k), upload_double(v),
              {upload_double(prior.depth), upload_double(prior.weight), upload_double(prior.decay)}, 2, kind),
          y.values);
      // Between its two passes the naive form rounds to float.
      expect_close(y, naive_geometry(kind, q, k, v, prior, 2), 2e-7, "double");
    }
  }
}
#endif

/// depth [N, 1, H, W] to [N, height, width, 1], bilinear with align_corners false.
Array resized(const Array& depth, std::int64_t height, std::int64_t width) {
  const std::int64_t rows = depth.shape[2], columns = depth.shape[3];
  Array y{{depth.shape[0], height, width, 1}, {}};
  const auto source = [](std::int64_t i, std::int64_t from, std::int64_t to) {
    return std::max(
        0.0, (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5);
  };
  for (std::int64_t i = 0; i < y.shape.numel(); ++i) {
    const double row = source(i / width % height, rows, height), column = source(i % width, columns, width);
    double sum = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        const double near = std::max(0.0, 1 - std::abs(row - static_cast<double>(r))) *
                            std::max(0.0, 1 - std::abs(column - static_cast<double>(c)));
        sum += near *
               static_cast<double>(
                   depth.values[static_cast<std::size_t>((i / (height * width) * rows + r) * columns + c)]);
      }
    }
    y.values.push_back(static_cast<float>(sum));
  }
  return y;
}

// The mask of the reference, read back through the attention: with zero queries the weights are
// softmax(mask), and values that pick one key show them.
TEST(GeometryAttention, PriorMatchesReference) {
  const Golden golden("blocks/v2_geo_full_6x5");
  const Array mask =
      golden.array("output.mask");  // [2, 2 heads, 30, 30], of depth [2, 1, 9, 11] resized to 6 by 5
  const Prior prior{golden.array("input.depth"), golden.array("param.weight"), golden.array("buffer.decay")};
  const Array depth = resized(prior.depth, 6, 5);
  for (const auto& device : test_devices()) {
    const Shape grid{2, 6, 5, 60};
    const Array zero{grid, std::vector<float>(static_cast<std::size_t>(grid.numel()))};
    Array pick = zero;  // value channel c of token j is 1 where c == j
    for (std::size_t i = 0; i < pick.values.size(); ++i) pick.values[i] = i / 60 % 30 == i % 30 ? 1.0f : 0.0f;
    const Array weights = download(TestBackend::geometry_attention(
        upload(device, zero), upload(device, zero), upload(device, pick),
        {upload(device, depth), upload(device, prior.weight), upload(device, prior.decay)}, 2,
        GeometryAttention::full));
    for (std::size_t row = 0; row < 2 * 2 * 30; ++row) {
      const float* scores = &mask.values[row * 30];
      double total = 0;
      for (std::size_t j = 0; j < 30; ++j) total += std::exp(static_cast<double>(scores[j]));
      const std::size_t n = row / 60, head = row / 30 % 2, token = row % 30;
      for (std::size_t j = 0; j < 30; ++j) {
        EXPECT_NEAR(weights.values[((n * 30 + token) * 2 + head) * 30 + j],
                    std::exp(static_cast<double>(scores[j])) / total, 1e-5);
      }
    }
  }
}

TEST(GeometryAttention, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& q, const Shape& k, const Shape& depth,
                        const Shape& decay) -> std::string {
    const auto make = [&](const Shape& shape) { return TestBackend::empty(device, shape); };
    try {
      TestBackend::geometry_attention(make(q), make(k), make(q),
                                      {make(depth), make({2, 1, 1, 1}), make(decay)}, 2,
                                      GeometryAttention::full);
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(
      text({1, 2, 3, 8}, {1, 2, 4, 8}, {1, 2, 3, 1}, {2}),
      "[geometry_attention] queries, keys and values must all be [N, H, W, C]; got (1, 2, 3, 8) (1, 2, 4, 8) "
      "(1, 2, 3, 8)");
  EXPECT_EQ(
      text({1, 2, 3, 8}, {1, 2, 3, 8}, {1, 4, 6, 1}, {2}),
      "[geometry_attention] depth must be [N, H, W, 1] on the token grid; got (1, 2, 3, 8) (1, 4, 6, 1)");
  EXPECT_EQ(text({1, 2, 3, 8}, {1, 2, 3, 8}, {1, 2, 3, 1}, {3}),
            "[geometry_attention] 2 heads, a decay each and two weights expected; got (1, 2, 3, 8) (3) (2, "
            "1, 1, 1)");
}

}  // namespace
}  // namespace dformer::testing
