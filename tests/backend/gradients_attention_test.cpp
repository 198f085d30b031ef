#include <cmath>

#include <backend/gradient_check.hpp>
#include <support/backend_under_test.hpp>

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

template <class T>
void expect_naive(const cpu::Device& device, const Shape& q_shape, std::int64_t keys, int num_heads,
                  double tolerance) {
  const Array q = random_array(q_shape, 1), dy = random_array(q_shape, 2);
  const Array kv = random_array({q_shape[0], keys, 2 * q_shape[2]}, 3);
  const auto upload_as = [&](const Array& array) {
    return Cpu<T>::from_host(device, array.shape, array.values);
  };
  const auto gradients =
      Gradients<Cpu<T>>::attention(upload_as(q), upload_as(kv), num_heads, 0.75f, upload_as(dy));
  const NaiveGradients expected = naive_gradients(q, kv, num_heads, 0.75, dy);
  const std::string what = to_string(q.shape) + " to " + to_string(kv.shape);
  expect_near_all(gradients.q, expected.q, tolerance, "queries, " + what);
  expect_near_all(gradients.kv, expected.kv, tolerance, "keys, " + what);
}

TEST(AttentionGradients, EveryRaggedSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : {1, 5, 16, 33, 36, 48, 64}) {
      for (const std::int64_t queries : {1, 7, 33, 49}) {
        for (const std::int64_t keys : {1, 2, 15, 17, 127, 130}) {
          expect_naive<float>(device, {1, queries, 2 * head_dim}, keys, 2, 1e-5);
          expect_naive<double>(device, {1, queries, 2 * head_dim}, keys, 2, 1e-13);
          if (HasFailure()) return;
        }
      }
    }
  }
}

// Several blocks of keys, several groups of queries, and more images than are held together.
TEST(AttentionGradients, ManyKeysManyQueriesManyImages) {
  for (const auto& device : test_devices()) {
    struct Size {
      std::int64_t images, queries, keys;
    };
    for (const Size& size : {Size{2, 49, 1025}, {3, 49, 5003}, {1, 200, 70}, {2, 131, 300}}) {
      expect_naive<float>(device, {size.images, size.queries, 36 * 3}, size.keys, 3, 1e-5);
      expect_naive<double>(device, {size.images, size.queries, 36 * 3}, size.keys, 3, 1e-13);
    }
  }
}

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

// Scores in the hundreds, some blocks of keys with none of the weight: nothing may overflow on the way.
TEST(AttentionGradients, LargeScores) {
  Array q = random_array({1, 19, 16}, 7), kv = random_array({1, 700, 32}, 8);
  const Array dy = random_array({1, 19, 16}, 9);
  for (float& value : q.values) value *= 30;
  for (float& value : kv.values) value *= 5;
  const NaiveGradients expected = naive_gradients(q, kv, 1, 0.25, dy);
  for (const auto& device : test_devices()) {
    const auto gradients = Gradients<TestBackend>::attention(upload(device, q), upload(device, kv), 1, 0.25f,
                                                             upload(device, dy));
    // Scores reach 400, where float's spacing is 3e-5.
    expect_near_all(gradients.q, expected.q, 2e-4, "queries");
    expect_near_all(gradients.kv, expected.kv, 2e-4, "keys");
  }
}

TEST(AttentionGradients, ThreadsDoNotChangeTheResult) {
  const Array q = random_array({3, 130, 96}, 10), kv = random_array({3, 3000, 192}, 11);
  const Array dy = random_array(q.shape, 12);
  const auto gradients = [&](int threads) {
    const cpu::Device device({.threads = threads});
    return Gradients<TestBackend>::attention(upload(device, q), upload(device, kv), 2, 0.2f,
                                             upload(device, dy));
  };
  const auto alone = gradients(1), together = gradients(2);
  EXPECT_TRUE(identical(alone.q, together.q));
  EXPECT_TRUE(identical(alone.kv, together.kv));
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
