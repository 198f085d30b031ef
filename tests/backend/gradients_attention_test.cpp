#include <cmath>

#include <backend/gradient_check.hpp>

namespace dformer::testing {
namespace {

struct NaiveGradients {
  std::vector<double> q, kv;
};

/// The derivatives of softmax(scale * q k^T) v written down, in double, with every score held.
NaiveGradients naive_gradients(const Array& q, const Array& kv, int num_heads, double scale,
                               const Array& dy) {
  const std::int64_t images = q.shape[0], queries = q.shape[1], channels = q.shape[2], keys = kv.shape[1];
  const std::int64_t head_dim = channels / num_heads;
  NaiveGradients gradients{std::vector<double>(q.values.size()), std::vector<double>(kv.values.size())};
  const auto at = [](const Array& array, std::int64_t index) {
    return static_cast<double>(array.values[static_cast<std::size_t>(index)]);
  };
  std::vector<double> share(static_cast<std::size_t>(keys)), response(share.size());
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t head = 0; head < num_heads; ++head) {
      for (std::int64_t i = 0; i < queries; ++i) {
        const std::int64_t query = (n * queries + i) * channels + head * head_dim;
        const auto key = [&](std::size_t j) {
          return (n * keys + static_cast<std::int64_t>(j)) * 2 * channels + head * head_dim;
        };
        double largest = -1e300, total = 0, mean = 0;
        for (std::size_t j = 0; j < share.size(); ++j) {
          share[j] = response[j] = 0;
          for (std::int64_t c = 0; c < head_dim; ++c) {
            share[j] += scale * at(q, query + c) * at(kv, key(j) + c);
            response[j] += at(dy, query + c) * at(kv, key(j) + channels + c);
          }
          largest = std::max(largest, share[j]);
        }
        for (double& value : share) total += value = std::exp(value - largest);
        for (std::size_t j = 0; j < share.size(); ++j) mean += (share[j] /= total) * response[j];
        for (std::size_t j = 0; j < share.size(); ++j) {
          const double score = share[j] * (response[j] - mean);
          for (std::int64_t c = 0; c < head_dim; ++c) {
            gradients.q[static_cast<std::size_t>(query + c)] += scale * score * at(kv, key(j) + c);
            gradients.kv[static_cast<std::size_t>(key(j) + c)] += scale * score * at(q, query + c);
            gradients.kv[static_cast<std::size_t>(key(j) + channels + c)] += share[j] * at(dy, query + c);
          }
        }
      }
    }
  }
  return gradients;
}

/// In float, and on the CPU also in double.
void expect_naive(const TestBackend::Device& device, const Shape& q_shape, std::int64_t keys, int num_heads) {
  const Array q = random_array(q_shape, 1), dy = random_array(q_shape, 2);
  const Array kv = random_array({q_shape[0], keys, 2 * q_shape[2]}, 3);
  const NaiveGradients expected = naive_gradients(q, kv, num_heads, 0.75, dy);
  const std::string what = to_string(q.shape) + " to " + to_string(kv.shape);
  const auto gradients =
      TestGradients::attention(upload(device, q), upload(device, kv), num_heads, 0.75f, upload(device, dy));
  expect_near_all(download(gradients.q), expected.q, 1e-5, "queries, " + what);
  expect_near_all(download(gradients.kv), expected.kv, 1e-5, "keys, " + what);
#if !defined(DFORMER_TEST_CUDA)
  const auto in_double = Gradients<Cpu<double>>::attention(
      upload_double(device, q), upload_double(device, kv), num_heads, 0.75f, upload_double(device, dy));
  expect_near_all(in_double.q, expected.q, 1e-13, "queries in double, " + what);
  expect_near_all(in_double.kv, expected.kv, 1e-13, "keys in double, " + what);
#endif
}

struct Size {
  std::int64_t images, queries, keys;
};
// The emulation takes some microseconds for each thread at each barrier, so that its sizes are fewer and
// smaller. Large are several blocks of keys, several groups of queries, and more images than are held
// together.
#if defined(DFORMER_CUDA_EMULATION)
const std::vector<std::int64_t> head_dims{5, 16, 36, 100}, query_counts{1, 33}, key_counts{1, 40};
const std::vector<Size> large_sizes{{2, 49, 200}, {1, 70, 40}};
const Size size_of_agreement{2, 40, 130};
constexpr std::int64_t many_keys = 200;
#else
const std::vector<std::int64_t> head_dims{1, 5, 16, 33, 36, 48, 64, 100}, query_counts{1, 7, 33, 49},
    key_counts{1, 2, 15, 17, 127, 130};
const std::vector<Size> large_sizes{{2, 49, 1025}, {3, 49, 5003}, {1, 200, 70}, {2, 131, 300}};
const Size size_of_agreement{3, 130, 3000};
constexpr std::int64_t many_keys = 700;
#endif

TEST(AttentionGradients, EveryRaggedSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : head_dims) {
      for (const std::int64_t queries : query_counts) {
        for (const std::int64_t keys : key_counts) {
          expect_naive(device, {1, queries, 2 * head_dim}, keys, 2);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(AttentionGradients, ManyKeysManyQueriesManyImages) {
  for (const auto& device : test_devices()) {
    for (const Size& size : large_sizes) {
      expect_naive(device, {size.images, size.queries, 36 * 3}, size.keys, 3);
    }
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(AttentionGradients, AreTheDifferencesOfTheAttention) {
  for (const auto& device : test_devices()) {
    const DoubleTensor q = upload_double(device, random_array({2, 5, 12}, 4));
    const DoubleTensor kv = upload_double(device, random_array({2, 19, 24}, 5));
    const DoubleTensor dy = upload_double(device, random_array({2, 5, 12}, 6));
    const auto gradients = Gradients<Cpu<double>>::attention(q, kv, 2, 1.5f, dy);
    const auto loss = [&] { return dot(Cpu<double>::attention(q, kv, 2, 1.5f), dy); };
    EXPECT_LE(largest_deviation(q, gradients.q, loss), 1e-9);
    EXPECT_LE(largest_deviation(kv, gradients.kv, loss), 1e-9);
  }
}
#endif

// Scores in the hundreds, some blocks of keys with none of the weight: nothing may overflow on the way.
TEST(AttentionGradients, LargeScores) {
  Array q = random_array({1, 19, 16}, 7), kv = random_array({1, many_keys, 32}, 8);
  const Array dy = random_array({1, 19, 16}, 9);
  for (float& value : q.values) value *= 30;
  for (float& value : kv.values) value *= 5;
  const NaiveGradients expected = naive_gradients(q, kv, 1, 0.25, dy);
  for (const auto& device : test_devices()) {
    const auto gradients = Gradients<TestBackend>::attention(upload(device, q), upload(device, kv), 1, 0.25f,
                                                             upload(device, dy));
    // Scores reach 400, where float's spacing is 3e-5.
    expect_near_all(download(gradients.q), expected.q, 2e-4, "queries");
    expect_near_all(download(gradients.kv), expected.kv, 2e-4, "keys");
  }
}

TEST(AttentionGradients, ThreadsDoNotChangeTheResult) {
  const Size& size = size_of_agreement;
  const Array q = random_array({size.images, size.queries, 96}, 10);
  const Array kv = random_array({size.images, size.keys, 192}, 11), dy = random_array(q.shape, 12);
  expect_same_on_all_devices([&](const auto& device) {
    const auto gradients =
        TestGradients::attention(upload(device, q), upload(device, kv), 2, 0.2f, upload(device, dy));
    return std::pair(download(gradients.q).values, download(gradients.kv).values);
  });
}

TEST(AttentionGradients, OfNothing) {
  const auto& device = TestBackend::default_device();
  const Tensor none = TestBackend::empty(device, {1, 0, 8});
  const auto gradients =
      Gradients<TestBackend>::attention(none, upload(device, random_array({1, 3, 16}, 1)), 2, 1, none);
  EXPECT_EQ(download(gradients.kv).max_abs(), 0);
}

TEST(AttentionGradients, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& kv, const Shape& dy) -> std::string {
    const auto make = [&](const Shape& shape) { return TestBackend::empty(device, shape); };
    try {
      Gradients<TestBackend>::attention(make({1, 49, 8}), make(kv), 2, 1, make(dy));
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(
      text({1, 10, 8}, {1, 49, 8}),
      "[attention] queries [N, Tq, C] and keys with values [N, Tk, 2C] expected; got (1, 49, 8) (1, 10, 8)");
  EXPECT_EQ(text({1, 10, 16}, {1, 48, 8}),
            "[attention gradient] operands must have the same shape; got (1, 49, 8) (1, 48, 8)");
}

/// Channels' angles, all different.
Array angles(std::int64_t head_dim) {
  Array angle{{head_dim}, {}};
  for (std::int64_t c = 0; c < head_dim; ++c) {
    angle.values.push_back(
        static_cast<float>(std::pow(10000.0, -static_cast<double>(c) / static_cast<double>(head_dim))));
  }
  return angle;
}

#if !defined(DFORMER_TEST_CUDA)
TEST(RotaryGradients, AreTheDifferencesOfTheRotation) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : {2, 6, 16, 36}) {
      const DoubleTensor x = upload_double(device, random_array({2, 3, 4, 3 * head_dim}, 13));
      const DoubleTensor dy = upload_double(device, random_array(x.shape(), 14));
      const DoubleTensor angle = upload_double(device, angles(head_dim));
      const auto loss = [&] { return dot(Cpu<double>::rotary(x, angle, 3, 0.25f), dy); };
      EXPECT_LE(largest_deviation(x, Gradients<Cpu<double>>::rotary(dy, angle, 3, 0.25f), loss), 1e-9)
          << head_dim;
    }
  }
}
#endif

// <turn x, y> is <x, turned-back y>, also where the angles of a pair differ.
TEST(RotaryGradients, AreTheTransposedRotation) {
  const auto dot_of = [](const Array& a, const Array& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      sum += static_cast<double>(a.values[i]) * static_cast<double>(b.values[i]);
    }
    return sum;
  };
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : {2, 6, 16, 36}) {
      const Array x = random_array({2, 3, 4, 3 * head_dim}, 13), y = random_array(x.shape, 14);
      const Tensor angle = upload(device, angles(head_dim));
      const Array turned = download(TestBackend::rotary(upload(device, x), angle, 3, 0.25f));
      const Array back = download(TestGradients::rotary(upload(device, y), angle, 3, 0.25f));
      EXPECT_NEAR(dot_of(turned, y), dot_of(x, back), 1e-5) << head_dim;
    }
  }
}

// Orthogonal but for the scale: what was turned is turned back, also at token numbers to 19199.
TEST(RotaryGradients, TurnBack) {
  Array angle = angles(16);
  for (std::size_t c = 0; c < 16; c += 2) angle.values[c + 1] = angle.values[c];
  const Array x = random_array({1, 120, 160, 32}, 15);
  for (const auto& device : test_devices()) {
    const Tensor turned = TestBackend::rotary(upload(device, x), upload(device, angle), 2, 2);
    const Array back = download(Gradients<TestBackend>::rotary(turned, upload(device, angle), 2, 0.5f));
    expect_close(back, x, op_tolerance(x), "turned and turned back");
  }
}

TEST(RotaryGradients, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  EXPECT_THROW(Gradients<TestBackend>::rotary(TestBackend::empty(device, {1, 2, 3, 8}),
                                              TestBackend::empty(device, {8}), 2, 1),
               ShapeError);
}

}  // namespace
}  // namespace dformer::testing
