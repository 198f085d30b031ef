#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <backend/gradients_under_test.hpp>

namespace dformer::testing {
namespace {

using Labels = std::vector<std::uint8_t>;

struct HostLoss {
  double sum;
  std::int64_t pixels;
  double weight;
  Array gradient;
};

HostLoss cross_entropy(const TestBackend::Device& device, const Array& logits, const Labels& labels,
                       std::int64_t height, std::int64_t width, const CrossEntropyOptions& options = {}) {
  const auto loss = TestGradients::cross_entropy(upload(device, logits), labels, height, width, options);
  return {loss.sum, loss.pixels, loss.weight, download(loss.gradient)};
}

Labels labels_of(const Array& array) {
  Labels labels;
  for (const float value : array.values) labels.push_back(static_cast<std::uint8_t>(value));
  return labels;
}

/// Patches of one class, as label maps are, and some pixels to ignore.
Labels random_labels(std::int64_t count, std::int64_t classes, int ignore_index = 255) {
  std::mt19937 generator(7);
  Labels labels;
  while (static_cast<std::int64_t>(labels.size()) < count) {
    const auto draw = static_cast<std::int64_t>(generator()) % (classes + 1);
    const auto label = static_cast<std::uint8_t>(draw == classes ? ignore_index : draw);
    labels.insert(labels.end(), generator() % 9 + 1, label);
  }
  labels.resize(static_cast<std::size_t>(count));
  return labels;
}

/// The definition, in double, of logits that have the labels' size.
HostLoss naive_cross_entropy(const Array& logits, const Labels& labels, const CrossEntropyOptions& options) {
  const auto classes = static_cast<std::size_t>(logits.shape.back());
  const auto smoothing = static_cast<double>(options.label_smoothing);
  const auto weight = [&](std::size_t c) {
    return options.class_weight.empty() ? 1.0 : static_cast<double>(options.class_weight[c]);
  };
  HostLoss loss{0, 0, 0, {logits.shape, std::vector<float>(logits.values.size())}};
  for (std::size_t pixel = 0; pixel < labels.size(); ++pixel) {
    const std::size_t label = labels[pixel];
    if (static_cast<int>(label) == options.ignore_index) continue;
    const auto logit = [&](std::size_t c) { return static_cast<double>(logits.values[pixel * classes + c]); };
    double sum = 0, top = -INFINITY;
    for (std::size_t c = 0; c < classes; ++c) top = std::max(top, logit(c));
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logit(c) - top);
    ++loss.pixels;
    loss.weight += weight(label);
    // Smoothing is another target: (1 - s) of the label's class and s / K of each.
    std::vector<double> shares(classes);
    double all = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      shares[c] = weight(c) * (smoothing / static_cast<double>(classes) + (c == label ? 1 - smoothing : 0.0));
      all += shares[c];
      loss.sum -= shares[c] * (logit(c) - top - std::log(sum));
    }
    for (std::size_t c = 0; c < classes; ++c) {
      loss.gradient.values[pixel * classes + c] =
          static_cast<float>(all * std::exp(logit(c) - top) / sum - shares[c]);
    }
  }
  return loss;
}

/// The same of logits of another size, by the backend's resize and its gradient.
HostLoss resized_cross_entropy(const TestBackend::Device& device, const Array& logits, const Labels& labels,
                               std::int64_t height, std::int64_t width, const CrossEntropyOptions& options) {
  const Array resized = download(TestBackend::resize_bilinear(upload(device, logits), height, width, false));
  HostLoss loss = naive_cross_entropy(resized, labels, options);
  loss.gradient = download(
      TestGradients::resize_bilinear(upload(device, loss.gradient), logits.shape[1], logits.shape[2], false));
  return loss;
}

void expect_loss(const HostLoss& actual, const HostLoss& expected, const std::string& what) {
  EXPECT_NEAR(actual.sum, expected.sum, 1e-6 * std::max(1.0, std::abs(expected.sum))) << what;
  EXPECT_EQ(actual.pixels, expected.pixels) << what;
  EXPECT_DOUBLE_EQ(actual.weight, expected.weight) << what;
  expect_close(actual.gradient, expected.gradient, op_tolerance(expected.gradient), what);
}

TEST(CrossEntropy, MatchesReference) {
  for (const char* name : {"sum", "mean_valid", "official_train", "weighted"}) {
    const Golden golden(std::string("ops/cross_entropy_") + name);
    const Labels labels = labels_of(golden.array("input.label"));
    const Array logits = golden.nhwc("input.x");
    Array weight;
    if (golden.has("param.class_weight")) weight = golden.array("param.class_weight");
    for (const auto& device : test_devices()) {
      HostLoss loss = cross_entropy(device, logits, labels, logits.shape[1], logits.shape[2],
                                    {.class_weight = weight.values});
      const double divisor = std::string(name) == "sum" ? 1.0 : loss.weight;
      const Array output = golden.array("output");
      EXPECT_NEAR(loss.sum / divisor, static_cast<double>(output.values[0]), op_tolerance(output)) << name;
      const double scale = static_cast<double>(golden.array("grad_output").values[0]) / divisor;
      for (float& value : loss.gradient.values) {
        value = static_cast<float>(static_cast<double>(value) * scale);
      }
      const Array expected = golden.nhwc("grad.input.x");
      expect_close(loss.gradient, expected, op_tolerance(expected), name);
    }
  }
}

/// What torch 2 gives for cross_entropy(interpolate(x, (3, 4), mode="bilinear"), labels, weight,
/// ignore_index=255, reduction="sum", label_smoothing=...), with x = sin(0, 1, ... 11) as [1, 3, 2, 2].
TEST(CrossEntropy, IsTorchsWithWeightsAndSmoothing) {
  Array x{{1, 3, 2, 2}, {}};
  for (int i = 0; i < 12; ++i) x.values.push_back(static_cast<float>(std::sin(i)));
  const Labels labels{0, 1, 2, 255, 2, 2, 1, 0, 255, 0, 1, 1};
  const std::vector<float> weight{0.5f, 2.0f, 1.25f};
  struct Case {
    CrossEntropyOptions options;
    double sum, weight;
    std::vector<float> gradient;
  };
  const Case cases[] = {
      {{},
       10.5878086,
       10,
       {0.0591015816f, -0.463195354f, 0.404093832f, 0.425524175f, -0.27450043f, -0.151023775f, 0.26190412f,
        0.133444279f, -0.39534834f, 0.541743279f, -0.906835794f, 0.365092516f}},
      {{.class_weight = weight},
       14.9813023,
       13.25,
       {0.863410115f, -1.23464572f, 0.371235728f, 0.915506124f, -0.822700918f, -0.0928052366f, 0.687861264f,
        -0.158609152f, -0.529252052f, 1.5673641f, -2.13280535f, 0.56544131f}},
      {{.label_smoothing = 0.1f},
       10.7704678,
       10,
       {0.0591016114f, -0.475695372f, 0.41659376f, 0.408857554f, -0.278667092f, -0.130190372f, 0.270237446f,
        0.104277626f, -0.374515057f, 0.516743302f, -0.794335783f, 0.27759254f}},
      {{.label_smoothing = 0.1f, .class_weight = weight},
       15.2024975,
       13.25,
       {0.859456837f, -1.25970578f, 0.400249004f, 0.906312644f, -0.829951704f, -0.0763609707f, 0.712229848f,
        -0.212526038f, -0.499703765f, 1.52209556f, -1.96725452f, 0.44515878f}}};
  for (const auto& device : test_devices()) {
    for (const Case& expected : cases) {
      const HostLoss loss = cross_entropy(device, to_nhwc(x), labels, 3, 4, expected.options);
      EXPECT_NEAR(loss.sum, expected.sum, 2e-6);
      EXPECT_EQ(loss.pixels, 10);
      EXPECT_EQ(loss.weight, expected.weight);
      expect_close(loss.gradient, {{1, 2, 2, 3}, expected.gradient}, 1e-6, "gradient");
    }
  }
}

TEST(CrossEntropy, EveryCountOfClasses) {
  for (const auto& device : test_devices()) {
    for (std::int64_t classes = 1; classes <= 256; classes += classes < 70 ? 1 : 31) {
      Array logits = random_array({2, 3, 4, classes}, 1);
      for (float& value : logits.values) value *= 8.0f;
      const int ignore_index = classes > 255 ? 3 : 255;
      Labels labels = random_labels(2 * 17 * 23, classes, ignore_index);
      const CrossEntropyOptions options{.ignore_index = ignore_index};
      expect_loss(cross_entropy(device, logits, labels, 17, 23, options),
                  resized_cross_entropy(device, logits, labels, 17, 23, options),
                  std::to_string(classes) + " classes");
    }
  }
}

TEST(CrossEntropy, EverySize) {
  for (const auto& device : test_devices()) {
    for (const Shape& from : {Shape{1, 1}, Shape{2, 3}, Shape{7, 5}, Shape{8, 8}}) {
      for (const Shape& to : {Shape{1, 1}, Shape{3, 2}, Shape{8, 8}, Shape{9, 31}, Shape{64, 40}}) {
        const Array logits = random_array({2, from[0], from[1], 5}, 1);
        const Labels labels = random_labels(2 * to.numel(), 5);
        expect_loss(cross_entropy(device, logits, labels, to[0], to[1]),
                    resized_cross_entropy(device, logits, labels, to[0], to[1], {}),
                    to_string(from) + " to " + to_string(to));
      }
    }
  }
}

TEST(CrossEntropy, WeightsSmoothingAndIgnoredClasses) {
  const std::vector<float> weight{0.5f, 2.0f, 0.0f, 1.0f, 3.0f, 0.25f};
  const Array logits = random_array({2, 5, 4, 6}, 1);
  for (const auto& device : test_devices()) {
    for (const float smoothing : {0.0f, 0.1f, 1.0f}) {
      for (const bool weighted : {false, true}) {
        for (const int ignore_index : {255, 100, 2}) {
          CrossEntropyOptions options{.ignore_index = ignore_index, .label_smoothing = smoothing};
          if (weighted) options.class_weight = weight;
          const Labels labels = random_labels(2 * 11 * 9, 6, ignore_index);
          expect_loss(cross_entropy(device, logits, labels, 11, 9, options),
                      resized_cross_entropy(device, logits, labels, 11, 9, options),
                      "ignoring " + std::to_string(ignore_index));
        }
      }
    }
  }
}

TEST(CrossEntropy, AllIgnored) {
  const Array logits = random_array({1, 2, 2, 3}, 1);
  for (const auto& device : test_devices()) {
    const HostLoss loss = cross_entropy(device, logits, Labels(30, 255), 5, 6);
    EXPECT_EQ(loss.sum, 0.0);
    EXPECT_EQ(loss.pixels, 0);
    EXPECT_EQ(loss.weight, 0.0);
    EXPECT_EQ(loss.gradient.values, std::vector<float>(12, 0.0f));
  }
}

/// Logits far apart: e^-1000 is 0, and the loss is their difference.
TEST(CrossEntropy, LargeLogits) {
  const Array logits{{1, 1, 2, 3}, {1000, 0, -1000, -5000, 3000, 2000}};
  for (const auto& device : test_devices()) {
    const HostLoss loss = cross_entropy(device, logits, {2, 1}, 1, 2);
    EXPECT_DOUBLE_EQ(loss.sum, 2000.0);
    EXPECT_EQ(loss.gradient.values, (std::vector<float>{1, 0, -1, 0, 0, 0}));
  }
}

TEST(CrossEntropy, ThreadsDoNotChangeABit) {
  const Array logits = random_array({2, 15, 20, 40}, 1);
  const Labels labels = random_labels(2 * 97 * 131, 40);
  expect_same_on_all_devices([&](const auto& device) {
    HostLoss loss = cross_entropy(device, logits, labels, 97, 131);
    return std::pair(loss.sum, loss.gradient.values);
  });
}

#if !defined(DFORMER_TEST_CUDA)
/// The gradient is that of the loss: in double, differences of the loss agree with it.
TEST(CrossEntropy, InDouble) {
  using Double = Cpu<double>;
  const Array logits = random_array({1, 3, 4, 5}, 1);
  const Labels labels = random_labels(7 * 9, 5);
  const std::vector<float> weight{0.5f, 2.0f, 0.75f, 1.0f, 3.0f};
  const CrossEntropyOptions options{.label_smoothing = 0.1f, .class_weight = weight};
  for (const auto& device : test_devices()) {
    Double::Tensor x = Double::from_host(device, logits.shape, logits.values);
    const auto loss = Gradients<Double>::cross_entropy(x, labels, 7, 9, options);
    for (std::int64_t i = 0; i < x.shape().numel(); ++i) {
      const double value = x.data()[i], step = 1e-5;
      x.data()[i] = value + step;
      const double above = Gradients<Double>::cross_entropy(x, labels, 7, 9, options).sum;
      x.data()[i] = value - step;
      const double below = Gradients<Double>::cross_entropy(x, labels, 7, 9, options).sum;
      x.data()[i] = value;
      ASSERT_NEAR((above - below) / (2 * step), loss.gradient.data()[i], 1e-7);
    }
  }
}
#endif

TEST(CrossEntropy, RejectsWrongArguments) {
  const TestBackend::Device device;
  const Array logits = random_array({2, 2, 2, 3}, 1);
  Labels labels(2 * 4 * 5, 0);
  EXPECT_EQ(message_of<ShapeError>([&] { cross_entropy(device, logits, labels, 4, 4); }),
            "[cross_entropy] 40 labels given; one for each pixel of the labels' shape expected; got "
            "(2, 2, 2, 3) (2, 4, 4)");
  EXPECT_EQ(message_of<ShapeError>([&] {
              cross_entropy(device, random_array({2, 3}, 1), labels, 4, 5);
            }),
            "[cross_entropy] input must be [N, H, W, C] and not empty; got (2, 3)");
  const std::vector<float> two{1, 1};
  EXPECT_EQ(
      message_of<ArgumentError>([&] { cross_entropy(device, logits, labels, 4, 5, {.class_weight = two}); }),
      "[cross_entropy] a weight for each of the 3 classes expected, or none; got 2");
  EXPECT_EQ(
      message_of<ArgumentError>([&] { cross_entropy(device, logits, labels, 4, 5, {.label_smoothing = 2}); }),
      "[cross_entropy] label_smoothing must be from 0 to 1, got 2.000000");
  labels[20 + 2 * 5 + 3] = 3;
  EXPECT_EQ(
      message_of<ArgumentError>([&] { cross_entropy(device, logits, labels, 4, 5); }),
      "[cross_entropy] label 3 at image 1, row 2, column 3 is none of the 3 classes, which count from 0, "
      "nor the ignored 255");
}

}  // namespace
}  // namespace dformer::testing
