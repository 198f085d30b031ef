// Scores of one image under every protocol, against those of the official evaluation.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/eval/class_scores.hpp>
#include <dformer/eval/confusion_matrix.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/random_bases.hpp>

namespace dformer {
namespace {

using testing::Array;
using testing::Golden;

constexpr double tolerance = 2e-4;  // the fixtures'
constexpr int classes = 40;

/// The images, labels and starting bases of a fixture, all filled by name.
struct Recorded {
  explicit Recorded(const std::string& size) : golden("protocol/eval_DFormer_Tiny." + size) {
    const auto shape = golden.json("input_shape");
    count = shape[0];
    height = shape[2];
    width = shape[3];
  }
  std::size_t pixels() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }

  NormalizedImage image(std::size_t n) const {
    NormalizedImage result{height, width, std::vector<float>(pixels() * 3), std::vector<float>(pixels())};
    const NamedStream rgb("input.rgb");
    const NamedStream depth("input.depth");
    for (std::size_t i = 0; i < pixels(); ++i) {
      for (std::size_t c = 0; c < 3; ++c)
        result.color[i * 3 + c] = 2 * rgb.symmetric((n * 3 + c) * pixels() + i);
      result.depth[i] = depth.symmetric(n * pixels() + i);
    }
    return result;
  }
  cv::Mat labels(std::size_t n) const {
    cv::Mat result(height, width, CV_8UC1);
    const NamedStream stream("input.label");
    for (std::size_t i = 0; i < pixels(); ++i) {
      const auto label = static_cast<int>(stream.uniform(n * pixels() + i) * 41);
      result.data[i] = static_cast<std::uint8_t>(label == 40 ? 255 : label);
    }
    return result;
  }

  Golden golden;
  std::size_t count;
  int height;
  int width;
};

class ClassScores : public ::testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    network_ = make_segmenter<Cpu<>>("DFormer_Tiny").release();
    fill_parameters(
        *network_,
        [](std::string_view name, const Shape& shape, std::span<float> values) {
          fill_by_name(name, shape, values);
        },
        Cpu<>::default_device());
  }
  static void TearDownTestSuite() { delete network_; }

  /// In a batch every image has bases of its own, drawn one behind the other.
  static void set_bases_of(std::size_t image) {
    for (auto& [name, parameter] : parameters(*network_)) {
      if (parameter->kind() != ParameterKind::constant) continue;
      const Shape& one = parameter->shape();
      const auto size = static_cast<std::size_t>(one.numel());
      std::vector<float> values(size * (image + 1));
      random_bases(NamedStream("ham.bases"), static_cast<int>(one[1]), static_cast<int>(one[2]), values);
      set_values(*parameter, std::span<const float>(values).subspan(size * image), Cpu<>::default_device());
    }
  }
  static const AnySegmenter<Cpu<>>& network() { return *network_; }

  /// Compares scores of all images, [H, W, K] each, with the recorded samples of [N, K, H, W].
  static void expect_samples(const Recorded& recorded, const std::vector<std::vector<float>>& scores,
                             const std::string& key) {
    const Array indices = recorded.golden.array(key + ".idx");
    const Array expected = recorded.golden.array(key + ".val");
    double worst = 0;
    for (std::size_t i = 0; i < indices.values.size(); ++i) {
      const auto index = static_cast<std::size_t>(indices.values[i]);
      const std::size_t pixel = index % recorded.pixels();
      const std::size_t k = index / recorded.pixels() % classes;
      const std::size_t n = index / recorded.pixels() / classes;
      worst = std::max(worst, std::abs(static_cast<double>(scores[n][pixel * classes + k]) -
                                       static_cast<double>(expected.values[i])));
    }
    EXPECT_LE(worst, tolerance) << key;
    RecordProperty(key, std::to_string(worst));
  }

  static void expect_protocol(const Recorded& recorded, const Protocol& protocol, const std::string& key) {
    const Array expected = recorded.golden.array(key + ".argmax");
    const Array ambiguous = recorded.golden.array(key + ".ambiguous");
    std::vector<std::vector<float>> scores;
    ConfusionMatrix confusion(classes);
    int unclear = 0;
    for (std::size_t n = 0; n < recorded.count; ++n) {
      set_bases_of(n);
      scores.push_back(class_scores(network(), recorded.image(n), protocol, Cpu<>::default_device()));
      const cv::Mat labels = best_classes(scores.back(), recorded.height, recorded.width, classes);
      for (std::size_t i = 0; i < recorded.pixels(); ++i) {
        if (ambiguous.values[n * recorded.pixels() + i] != 0) {
          ++unclear;
        } else {
          ASSERT_EQ(static_cast<float>(labels.data[i]), expected.values[n * recorded.pixels() + i])
              << key << ", image " << n << ", pixel " << i;
        }
      }
      confusion.add(recorded.labels(n), labels);
    }
    expect_samples(recorded, scores, key);
    const Array hist = recorded.golden.array(key + ".hist");
    double moved = 0;
    for (std::size_t i = 0; i < hist.values.size(); ++i)
      moved += std::abs(static_cast<double>(confusion.counts()[i]) - static_cast<double>(hist.values[i]));
    EXPECT_LE(moved, 2 * unclear) << key;
  }

 private:
  static inline AnySegmenter<Cpu<>>* network_ = nullptr;
};

/// The window of a fixture.
SlidingWindow window_of(const Recorded& recorded) {
  const auto crop = recorded.golden.json("crop");
  return SlidingWindow::with_official_stride(crop[0], crop[1]);
}

TEST_P(ClassScores, SingleScale) {
  expect_protocol(Recorded(GetParam()), Protocol::single_scale(), "single");
}

TEST_P(ClassScores, MultiScale) {
  Protocol protocol = Protocol::multi_scale_flip();
  protocol.flip = false;
  expect_protocol(Recorded(GetParam()), protocol, "msf");
}

TEST_P(ClassScores, MultiScaleAndFlip) {
  expect_protocol(Recorded(GetParam()), Protocol::multi_scale_flip(), "msf_flip");
}

TEST_P(ClassScores, MultiScaleFlipAndSliding) {
  const Recorded recorded(GetParam());
  Protocol protocol = Protocol::multi_scale_flip();
  protocol.sliding = window_of(recorded);
  expect_protocol(recorded, protocol, "msf_flip_sliding");
}

TEST_P(ClassScores, SlidingLogits) {
  const Recorded recorded(GetParam());
  const SlidingWindow window = window_of(recorded);
  ASSERT_EQ(window.stride_height, recorded.golden.json("strides")[0]);
  ASSERT_EQ(window.stride_width, recorded.golden.json("strides")[1]);
  std::vector<std::vector<float>> logits;
  for (std::size_t n = 0; n < recorded.count; ++n) {
    set_bases_of(n);
    const auto tensor = sliding_logits(network(), recorded.image(n), window, Cpu<>::default_device());
    ASSERT_EQ(tensor.shape(), (Shape{1, recorded.height, recorded.width, classes}));
    logits.emplace_back(static_cast<std::size_t>(tensor.shape().numel()));
    Cpu<>::to_host(tensor, logits.back());
  }
  expect_samples(recorded, logits, "slide_logits");
}

TEST_P(ClassScores, ScaledSizes) {
  const Recorded recorded(GetParam());
  for (const auto& entry : recorded.golden.json("rounded_sizes"))
    EXPECT_EQ(scaled_size({recorded.height, recorded.width}, entry[0], 32), (ImageSize{entry[3], entry[4]}));
}

INSTANTIATE_TEST_SUITE_P(Official, ClassScores, ::testing::Values("96x128", "75x101"),
                         [](const auto& size) { return "Of" + std::string(size.param); });

TEST_F(ClassScores, ASmallImageIsEnlargedToTheWindow) {
  set_bases_of(0);
  NormalizedImage image{40, 70, std::vector<float>(40 * 70 * 3, 0.5f), std::vector<float>(40 * 70, 0.1f)};
  const auto device = Cpu<>::default_device();
  EXPECT_EQ(sliding_logits(network(), image, SlidingWindow{64, 64, 42, 42}, device).shape(),
            (Shape{1, 64, 64, classes}));
  // Its scores come back at the size of the image.
  Protocol protocol;
  protocol.sliding = SlidingWindow{64, 64, 42, 42};
  EXPECT_EQ(class_scores(network(), image, protocol, device).size(), 40u * 70 * classes);
}

TEST(HostImage, MirroringAndCropping) {
  NormalizedImage image{2, 3, {}, {0, 1, 2, 3, 4, 5}};
  for (int i = 0; i < 18; ++i) image.color.push_back(static_cast<float>(i));
  const NormalizedImage mirror = mirrored(image);
  EXPECT_EQ(mirror.depth, (std::vector<float>{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(mirror.color, (std::vector<float>{6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11}));
  EXPECT_EQ(mirrored(mirror).color, image.color);
  const NormalizedImage part = cropped(image, 1, 1, 1, 2);
  EXPECT_EQ(part.depth, (std::vector<float>{4, 5}));
  EXPECT_EQ(part.color, (std::vector<float>{12, 13, 14, 15, 16, 17}));
}

}  // namespace
}  // namespace dformer
