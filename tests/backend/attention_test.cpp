#include <cmath>
#include <random>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

/// softmax(scale * q k^T) v of each head, in double, with every score held.
Array naive_attention(const Array& q, const Array& kv, int num_heads, double scale) {
  const std::int64_t images = q.shape[0], queries = q.shape[1], channels = q.shape[2], keys = kv.shape[1];
  const std::int64_t head_dim = channels / num_heads;
  const auto query = [&](std::int64_t n, std::int64_t i, std::int64_t c) {
    return static_cast<double>(q.values[static_cast<std::size_t>((n * queries + i) * channels + c)]);
  };
  const auto key_value = [&](std::int64_t n, std::int64_t j, std::int64_t c) {
    return static_cast<double>(kv.values[static_cast<std::size_t>((n * keys + j) * 2 * channels + c)]);
  };
  Array y{q.shape, std::vector<float>(q.values.size())};
  std::vector<double> weights(static_cast<std::size_t>(keys));
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t head = 0; head < num_heads; ++head) {
      for (std::int64_t i = 0; i < queries; ++i) {
        double largest = -1e300;
        for (std::int64_t j = 0; j < keys; ++j) {
          double score = 0;
          for (std::int64_t c = head * head_dim; c < (head + 1) * head_dim; ++c) {
            score += query(n, i, c) * key_value(n, j, c);
          }
          weights[static_cast<std::size_t>(j)] = scale * score;
          largest = std::max(largest, scale * score);
        }
        double total = 0;
        for (double& weight : weights) total += weight = std::exp(weight - largest);
        for (std::int64_t c = head * head_dim; c < (head + 1) * head_dim; ++c) {
          double sum = 0;
          for (std::int64_t j = 0; j < keys; ++j) {
            sum += weights[static_cast<std::size_t>(j)] * key_value(n, j, channels + c);
          }
          y.values[static_cast<std::size_t>((n * queries + i) * channels + c)] =
              static_cast<float>(sum / total);
        }
      }
    }
  }
  return y;
}

Array attention(const TestBackend::Device& device, const Array& q, const Array& kv, int num_heads,
                float scale) {
  return download(TestBackend::attention(upload(device, q), upload(device, kv), num_heads, scale));
}

Array scaled(Array array, float factor) {
  for (float& value : array.values) value *= factor;
  return array;
}

// The emulation takes some microseconds for each thread at each barrier, so that its sizes are fewer and
// smaller.
#if defined(DFORMER_CUDA_EMULATION)
const std::vector<std::int64_t> head_dims{5, 16, 36, 100}, query_counts{1, 33}, key_counts{1, 7, 33, 70};
constexpr std::int64_t many_keys = 300;
#else
const std::vector<std::int64_t> head_dims{1, 5, 12, 16, 36, 48, 100}, query_counts{1, 7, 31, 33, 49},
    key_counts{1, 2, 7, 16, 17, 127, 130};
constexpr std::int64_t many_keys = 2100;
#endif

TEST(Attention, EveryRaggedSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : head_dims) {
      for (const std::int64_t queries : query_counts) {
        for (const std::int64_t keys : key_counts) {
          const Array q = random_array({1, queries, 2 * head_dim}, 1);
          const Array kv = random_array({1, keys, 4 * head_dim}, 2);
          const Array expected = naive_attention(q, kv, 2, 0.7);
          expect_close(attention(device, q, kv, 2, 0.7f), expected, op_tolerance(expected),
                       to_string(q.shape) + " to " + to_string(kv.shape));
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(Attention, ManyKeysManyQueriesManyImages) {
  for (const auto& device : test_devices()) {
    struct Size {
      std::int64_t images, queries, keys;
    };
#if defined(DFORMER_CUDA_EMULATION)
    const std::vector<Size> sizes{{2, 49, 300}, {1, 150, 40}};
#else
    const std::vector<Size> sizes{{2, 49, 1025}, {1, 49, 5003}, {1, 1100, 70}, {1, 530, 1100}};
#endif
    for (const Size& size : sizes) {
      const Array q = random_array({size.images, size.queries, 36 * 3}, 3);
      const Array kv = random_array({size.images, size.keys, 2 * 36 * 3}, 4);
      const Array expected = naive_attention(q, kv, 3, 1.0 / 6);
      expect_close(attention(device, q, kv, 3, 1.0f / 6), expected, op_tolerance(expected),
                   to_string(kv.shape));
    }
  }
}

// More parts of the keys than a GPU's block puts together in one go.
TEST(Attention, KeysInManyParts) {
  const Array q = random_array({1, 2, 32}, 12), kv = random_array({1, 8300, 64}, 13);
  const Array expected = naive_attention(q, kv, 1, 0.5);
  for (const auto& device : test_devices()) {
    expect_close(attention(device, q, kv, 1, 0.5f), expected, op_tolerance(expected), "8300 keys");
  }
}

// Scores in the hundreds: weights underflow, the largest score comes late, and nothing may overflow on the
// way.
TEST(Attention, LargeScores) {
  const Array q = scaled(random_array({1, 19, 16}, 5), 30);
  Array kv = scaled(random_array({1, many_keys, 32}, 6), 10);
  const Array expected = naive_attention(q, kv, 1, 0.25);
  for (const auto& device : test_devices()) {
    expect_close(attention(device, q, kv, 1, 0.25f), expected, 1e-4 * static_cast<double>(expected.max_abs()),
                 "large scores");
  }
  for (float& value : kv.values) value -= 100;  // all scores far below zero, or far above
  const Array shifted = naive_attention(q, kv, 1, 0.25);
  for (const auto& device : test_devices()) {
    expect_close(attention(device, q, kv, 1, 0.25f), shifted, 1e-3 * static_cast<double>(shifted.max_abs()),
                 "shifted scores");
  }
}

TEST(Attention, ThreadsDoNotChangeTheResult) {
  const Array q = random_array({2, 49, 96}, 7);
  const Array kv = random_array({2, many_keys, 192}, 8);
  expect_same_on_all_devices([&](const auto& device) { return attention(device, q, kv, 2, 0.2f).values; });
}

TEST(Attention, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& q, const Shape& kv, int num_heads) -> std::string {
    try {
      TestBackend::attention(TestBackend::empty(device, q), TestBackend::empty(device, kv), num_heads, 1);
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(
      text({1, 49, 8}, {1, 10, 8}, 2),
      "[attention] queries [N, Tq, C] and keys with values [N, Tk, 2C] expected; got (1, 49, 8) (1, 10, 8)");
  EXPECT_EQ(text({1, 49, 8}, {1, 10, 16}, 3),
            "[attention] 3 heads do not divide the channels; got (1, 49, 8)");
  EXPECT_EQ(text({1, 49, 8}, {1, 0, 16}, 2),
            "[attention] at least one key expected; got (1, 49, 8) (1, 0, 16)");
}

#if !defined(DFORMER_TEST_CUDA)
TEST(Attention, InDouble) {
  const Array q = random_array({2, 49, 60}, 11), kv = random_array({2, 600, 120}, 12);
  const Array expected = naive_attention(q, kv, 5, 0.5);
  for (const auto& device : test_devices()) {
    Array y{q.shape, std::vector<float>(q.values.size())};
    Cpu<double>::to_host(Cpu<double>::attention(Cpu<double>::from_host(device, q.shape, q.values),
                                                Cpu<double>::from_host(device, kv.shape, kv.values), 5, 0.5f),
                         y.values);
    expect_close(y, expected, 1e-7 * static_cast<double>(expected.max_abs()), "double");
  }
}
#endif

/// The reference's formula for one token and head: channels x turned by the angles whose sine and cosine are
/// given.
std::vector<float> turned(const float* x, const float* sine, const float* cosine, std::size_t channels) {
  std::vector<float> y(channels);
  for (std::size_t c = 0; c < channels; c += 2) {
    y[c] = x[c] * cosine[c] - x[c + 1] * sine[c];
    y[c + 1] = x[c + 1] * cosine[c + 1] + x[c] * sine[c + 1];
  }
  return y;
}

/// As the reference: the angle's product is formed in float, its sine and cosine are then exact.
Array naive_rotary(Array x, const Array& angle, int num_heads, float scale) {
  const auto head_dim = angle.values.size();
  const auto tokens = static_cast<std::size_t>(x.shape[1] * x.shape[2]);
  std::vector<float> sine(head_dim), cosine(head_dim);
  for (std::size_t i = 0; i < x.values.size(); i += head_dim) {
    const std::size_t token = i / head_dim / static_cast<std::size_t>(num_heads) % tokens;
    for (std::size_t c = 0; c < head_dim; ++c) {
      const float product = static_cast<float>(token) * angle.values[c];
      sine[c] = static_cast<float>(std::sin(static_cast<double>(product)));
      cosine[c] = static_cast<float>(std::cos(static_cast<double>(product)));
      x.values[i + c] *= scale;
    }
    const std::vector<float> y = turned(&x.values[i], sine.data(), cosine.data(), head_dim);
    std::copy(y.begin(), y.end(), x.values.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return x;
}

/// Twice each, as the published buffers have them; `odd_differs` makes every channel's angle its own.
Array angles(std::int64_t head_dim, bool odd_differs = false) {
  Array angle{{head_dim}, {}};
  for (std::int64_t c = 0; c < head_dim; ++c) {
    const std::int64_t index = odd_differs ? c : c / 2 * 2;
    angle.values.push_back(
        static_cast<float>(std::pow(10000.0, -static_cast<double>(index) / static_cast<double>(head_dim))));
  }
  return angle;
}

Array rotary(const TestBackend::Device& device, const Array& x, const Array& angle, int num_heads,
             float scale) {
  return download(TestBackend::rotary(upload(device, x), upload(device, angle), num_heads, scale));
}

TEST(Rotary, FormulaMatchesReference) {
  const Golden golden("ops/angle_transform");
  const Array x = golden.array("input.x"), sine = golden.array("input.sin"),
              cosine = golden.array("input.cos");
  const Array expected = golden.array("output");
  Array y{x.shape, {}};
  for (std::size_t i = 0; i < x.values.size(); i += 8) {
    const std::size_t at = i % sine.values.size();
    const std::vector<float> one = turned(&x.values[i], &sine.values[at], &cosine.values[at], 8);
    y.values.insert(y.values.end(), one.begin(), one.end());
  }
  expect_close(y, expected, op_tolerance(expected), "angle_transform");
}

TEST(Rotary, TablesMatchReference) {
  const Golden golden("blocks/v2_geo_full_6x5");
  const Array cosine = golden.array("output.cos"), sine = golden.array("output.sin");
  Array x{{1, 6, 5, 16}, std::vector<float>(cosine.values.size())};
  for (std::size_t c = 0; c < x.values.size(); c += 2) x.values[c] = 1;  // turns to cosine, sine
  for (const auto& device : test_devices()) {
    const Array y = rotary(device, x, golden.array("buffer.angle"), 1, 1);
    for (std::size_t c = 0; c < x.values.size(); ++c) {
      EXPECT_NEAR(y.values[c], c % 2 == 0 ? cosine.values[c] : sine.values[c], 1e-6) << "element " << c;
    }
  }
}

TEST(Rotary, EveryHeadSize) {
  for (const auto& device : test_devices()) {
    for (const std::int64_t head_dim : {2, 6, 12, 16, 32, 36}) {
      for (const bool odd_differs : {false, true}) {
        const Array x = random_array({2, 3, 17, 3 * head_dim}, 9);
        const Array expected = naive_rotary(x, angles(head_dim, odd_differs), 3, 0.25f);
        expect_close(rotary(device, x, angles(head_dim, odd_differs), 3, 0.25f), expected,
                     op_tolerance(expected), to_string(x.shape));
      }
    }
  }
}

// Token numbers to 19199 times angles to 1: the rounded product decides, and the sine must be taken of all of
// it.
TEST(Rotary, LargeMaps) {
  const Array x = random_array({1, 120, 160, 16}, 10);
  const Array expected = naive_rotary(x, angles(16), 1, 1);
  for (const auto& device : test_devices()) {
    expect_close(rotary(device, x, angles(16), 1, 1), expected, op_tolerance(expected), "120 by 160");
  }
}

// So much that a thread of a GPU makes several heads and images of what it knows of a token.
TEST(Rotary, ManyHeadsAndImages) {
  const Array x = random_array({3, 128, 160, 8 * 8}, 11);
  const Array expected = naive_rotary(x, angles(8), 8, 0.25f);
  for (const auto& device : test_devices()) {
    expect_close(rotary(device, x, angles(8), 8, 0.25f), expected, op_tolerance(expected), "8 heads");
  }
}

#if !defined(DFORMER_TEST_CUDA)
TEST(Rotary, InDouble) {
  const Array x = random_array({1, 60, 80, 24}, 13);
  const Array expected = naive_rotary(x, angles(12), 2, 0.5f);
  for (const auto& device : test_devices()) {
    Array y{x.shape, std::vector<float>(x.values.size())};
    const Array angle = angles(12);
    Cpu<double>::to_host(
        Cpu<double>::rotary(Cpu<double>::from_host(device, x.shape, x.values),
                            Cpu<double>::from_host(device, angle.shape, angle.values), 2, 0.5f),
        y.values);
    expect_close(y, expected, 3e-7, "double");  // the naive form rounds to float between its steps
  }
}
#endif

TEST(Rotary, WrongShapesAreRejected) {
  const auto& device = TestBackend::default_device();
  const auto text = [&](const Shape& x, const Shape& angle, int num_heads) -> std::string {
    try {
      TestBackend::rotary(TestBackend::empty(device, x), TestBackend::empty(device, angle), num_heads, 1);
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "no ShapeError";
  };
  EXPECT_EQ(text({1, 2, 3, 8}, {8}, 2),
            "[rotary] [N, H, W, C] and [C / 2] expected, an even number of angles; got (1, 2, 3, 8) (8)");
  EXPECT_EQ(text({1, 2, 3, 6}, {3}, 2),
            "[rotary] [N, H, W, C] and [C / 2] expected, an even number of angles; got (1, 2, 3, 6) (3)");
}

}  // namespace
}  // namespace dformer::testing
