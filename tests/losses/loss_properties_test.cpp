#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <losses/loss_test.hpp>

#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/losses/accuracy.hpp>
#include <dformer/losses/auxiliary.hpp>
#include <dformer/losses/binary_cross_entropy.hpp>
#include <dformer/losses/cross_entropy.hpp>
#include <dformer/losses/dice.hpp>
#include <dformer/losses/focal.hpp>
#include <dformer/losses/lovasz_hinge.hpp>
#include <dformer/losses/lovasz_softmax.hpp>
#include <dformer/losses/mask_cross_entropy.hpp>
#include <dformer/losses/ohem_cross_entropy.hpp>
#include <dformer/losses/tversky.hpp>
#include <dformer/losses/weighted_sum.hpp>

/// What holds of every loss, and of single ones where no fixture says it.
namespace dformer::testing {
namespace {

using D = Cpu<double>;
using DTensor = D::Tensor;

Array random_scores(const Shape& shape, float range, const char* name) {
  Array array{shape, std::vector<float>(static_cast<std::size_t>(shape.numel()))};
  const NamedStream stream(name, "");
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    array.values[i] = range * (2 * stream.uniform(i) - 1);
  }
  return array;
}

/// Classes at random, about one in eight ignored.
Labels random_labels(std::int64_t count, std::int64_t height, std::int64_t width, int classes) {
  Labels labels{{}, count, height, width};
  const NamedStream stream("labels", "");
  for (std::int64_t i = 0; i < count * height * width; ++i) {
    const auto k =
        static_cast<int>(stream.uniform(static_cast<std::uint64_t>(i)) * static_cast<float>(classes) * 8 / 7);
    labels.bytes.push_back(static_cast<std::uint8_t>(k < classes ? k : 255));
  }
  return labels;
}

DTensor upload_double(const Array& array, const D::Device& device = D::default_device()) {
  return D::from_host(device, array.shape, array.values);
}
std::vector<float> host_values(const DTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape().numel()));
  D::to_host(tensor, values);
  return values;
}

struct Subject {
  std::string name;
  std::function<LossValue<DTensor>(const DTensor&, const LabelMap&)> loss;
  int classes;  // scores a pixel
  float step;   // for differences: small for losses whose gradient jumps
};

/// Every loss, with settings other than its own defaults where it has some.
std::vector<Subject> subjects() {
  const std::vector<float> weight{0.5f, 2.0f, 1.0f};
  return {
      {"cross-entropy", CrossEntropy<D>{.label_smoothing = 0.1f, .class_weight = weight}, 3, 1e-2f},
      {"weighted mean", CrossEntropy<D>{.class_weight = weight, .reduction = mean_over_weights}, 3, 1e-2f},
      {"ohem", OhemCrossEntropy<D>{.threshold = 0.4f, .min_kept = 5, .class_weight = weight}, 3, 1e-3f},
      {"binary", BinaryCrossEntropy<D>{.positive_weight = weight, .reduction = mean_over_valid}, 3, 1e-2f},
      {"binary of one class", BinaryCrossEntropy<D>{}, 1, 1e-2f},
      {"focal", Focal<D>{.gamma = 1.5f, .alpha = 0.25f, .class_weight = weight}, 3, 1e-2f},
      {"dice", Dice<D>{}, 3, 1e-2f},
      {"dice of another exponent",
       Dice<D>{.exponent = 1.5f, .class_weight = weight, .ignored = IgnoredPixels::left_out}, 3, 1e-2f},
      {"dice without smoothing", Dice<D>{.smooth = 0, .ignored = IgnoredPixels::left_out}, 3, 1e-2f},
      {"tversky", Tversky<D>{.class_weight = weight}, 3, 1e-2f},
      {"lovasz", LovaszSoftmax<D>{.class_weight = weight}, 3, 2e-4f},
      {"lovasz of images", LovaszSoftmax<D>{.classes = LovaszClasses::all, .per_image = true}, 3, 2e-4f},
      {"lovasz of one class", LovaszSoftmax<D>{.only = {2}}, 3, 2e-4f},
      {"hinge", LovaszHinge<D>{}, 1, 2e-4f},
      {"hinge of images", LovaszHinge<D>{.per_image = true}, 1, 2e-4f},
      {"sum", WeightedSum{Term{0.5, Dice<D>{}}, Term{2.0, Focal<D>{}}, Term{1.0, Tversky<D>{}}}, 3, 1e-2f},
  };
}

int label_classes(const Subject& subject) {
  return std::max(subject.classes, 2);
}

TEST(Losses, GradientsAreDifferencesOfValues) {
  for (const Subject& subject : subjects()) {
    const Labels labels = random_labels(2, 5, 7, label_classes(subject));
    for (const Shape& shape : {Shape{2, 5, 7, subject.classes}, Shape{2, 3, 4, subject.classes}}) {
      Array scores = random_scores(shape, 2.0f, "scores");
      const std::vector<float> gradient = host_values(subject.loss(upload_double(scores), labels).gradient);
      float largest = 0;
      for (float value : gradient) largest = std::max(largest, std::abs(value));
      EXPECT_GT(largest, 0) << subject.name;
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        const float before = scores.values[i];
        scores.values[i] = before + subject.step;
        const double right_step = static_cast<double>(scores.values[i]) - static_cast<double>(before);
        const double right = subject.loss(upload_double(scores), labels).value;
        scores.values[i] = before - subject.step;
        const double left_step = static_cast<double>(before) - static_cast<double>(scores.values[i]);
        const double left = subject.loss(upload_double(scores), labels).value;
        scores.values[i] = before;
        EXPECT_NEAR(static_cast<double>(gradient[i]), (right - left) / (right_step + left_step),
                    1e-3 * static_cast<double>(largest))
            << subject.name << " " << to_string(shape) << " " << i;
      }
    }
  }
}

TEST(Losses, AreZeroWhereAllIsIgnored) {
  for (const Subject& subject : subjects()) {
    Labels labels = random_labels(2, 5, 7, label_classes(subject));
    std::fill(labels.bytes.begin(), labels.bytes.end(), std::uint8_t{255});
    const Array scores = random_scores({2, 3, 4, subject.classes}, 30.0f, "scores");
    const auto result = subject.loss(upload_double(scores), labels);
    EXPECT_EQ(result.value, 0.0) << subject.name;
    for (float value : host_values(result.gradient)) ASSERT_EQ(value, 0.0f) << subject.name;
  }
}

/// As a batch has it when one of its images has no labels.
TEST(Losses, AnImageThatIsIgnoredHasNoGradient) {
  for (const Subject& subject : subjects()) {
    Labels labels = random_labels(2, 5, 7, label_classes(subject));
    std::fill(labels.bytes.begin(), labels.bytes.begin() + 35, std::uint8_t{255});
    const Array scores = random_scores({2, 5, 7, subject.classes}, 3.0f, "scores");
    const auto result = subject.loss(upload_double(scores), labels);
    EXPECT_TRUE(std::isfinite(result.value)) << subject.name;
    const std::vector<float> gradient = host_values(result.gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      ASSERT_TRUE(std::isfinite(gradient[i])) << subject.name;
      if (i < gradient.size() / 2) {
        ASSERT_EQ(gradient[i], 0.0f) << subject.name;
      }
    }
  }
}

TEST(Losses, StayFiniteForExtremeScores) {
  for (const Subject& subject : subjects()) {
    const Labels labels = random_labels(1, 4, 4, label_classes(subject));
    const Array scores = random_scores({1, 4, 4, subject.classes}, 1e4f, "scores");
    const auto result = subject.loss(upload_double(scores), labels);
    EXPECT_TRUE(std::isfinite(result.value)) << subject.name;
    for (float value : host_values(result.gradient)) ASSERT_TRUE(std::isfinite(value)) << subject.name;
  }
}

TEST(Losses, DoNotDependOnTheNumberOfThreads) {
  const cpu::Device one({.threads = 1});
  const cpu::Device four({.threads = 4});
  for (const Subject& subject : subjects()) {
    const Labels labels = random_labels(2, 90, 101, label_classes(subject));  // three blocks an image
    const Array scores = random_scores({2, 12, 13, subject.classes}, 2.0f, "scores");
    const auto alone = subject.loss(upload_double(scores, one), labels);
    const auto together = subject.loss(upload_double(scores, four), labels);
    EXPECT_EQ(alone.value, together.value) << subject.name;
    EXPECT_EQ(host_values(alone.gradient), host_values(together.gradient)) << subject.name;
  }
}

TEST(Losses, RejectLabelsThatAreNoClass) {
  for (const Subject& subject : subjects()) {
    Labels labels = random_labels(2, 5, 7, label_classes(subject));
    labels.bytes[35 + 7 + 3] = 40;
    const Array scores = random_scores({2, 3, 4, subject.classes}, 1.0f, "scores");
    try {
      subject.loss(upload_double(scores), labels);
      ADD_FAILURE() << subject.name;
    } catch (const ArgumentError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("40"), text.npos) << text;
      EXPECT_NE(text.find("image 1, row 1, column 3"), text.npos) << text;
    }
  }
}

TEST(Losses, RejectOtherBatchesAndSizes) {
  for (const Subject& subject : subjects()) {
    Labels labels = random_labels(2, 5, 7, label_classes(subject));
    EXPECT_THROW(
        subject.loss(upload_double(random_scores({1, 5, 7, subject.classes}, 1.0f, "scores")), labels),
        ShapeError)
        << subject.name;
    labels.width = 8;
    EXPECT_THROW(
        subject.loss(upload_double(random_scores({2, 5, 7, subject.classes}, 1.0f, "scores")), labels),
        ShapeError)
        << subject.name;
  }
}

TEST(Losses, RejectSettingsThatFitNoClasses) {
  const Labels labels = random_labels(1, 4, 4, 3);
  const DTensor scores = upload_double(random_scores({1, 4, 4, 3}, 1.0f, "scores"));
  const std::vector<float> two{1, 1};
  EXPECT_THROW((OhemCrossEntropy<D>{.class_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((OhemCrossEntropy<D>{.min_kept = 0}(scores, labels)), ArgumentError);
  EXPECT_THROW((BinaryCrossEntropy<D>{.positive_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((Focal<D>{.class_alpha = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((Focal<D>{.class_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((Dice<D>{.class_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((Tversky<D>{.class_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((LovaszSoftmax<D>{.class_weight = two}(scores, labels)), ArgumentError);
  EXPECT_THROW((LovaszSoftmax<D>{.only = {3}}(scores, labels)), ArgumentError);
  EXPECT_THROW((LovaszSoftmax<D>{.only = {1, 1}}(scores, labels)), ArgumentError);
  EXPECT_THROW(LovaszHinge<D>{}(scores, labels), ShapeError);
  EXPECT_THROW(accuracy<D>(scores, labels, 4), ArgumentError);
  EXPECT_THROW(accuracy<D>(scores, labels, 0), ArgumentError);
}

TEST(CrossEntropy, AgreesWithTheHostOnResizedScores) {
  const Labels labels = random_labels(2, 9, 7, 3);
  const DTensor scores = upload_double(random_scores({2, 3, 4, 3}, 2.0f, "scores"));
  const std::vector<float> weight{0.5f, 2.0f, 1.0f};
  const auto result = CrossEntropy<D>{.class_weight = weight, .reduction = sum_over_pixels}(scores, labels);
  const auto expected =
      loss_on_host<D>(scores, 9, 7, 1.0, [&](const HostScores& on_host, const HostThreads& threads) {
        double sum = 0;
        for (double loss : pixel_cross_entropy(on_host, labels, 255, weight, {}, threads)) sum += loss;
        return sum;
      });
  EXPECT_NEAR(result.value, expected.value, 1e-5);
  const std::vector<float> gradient = host_values(result.gradient);
  const std::vector<float> expected_gradient = host_values(expected.gradient);
  for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(gradient[i], expected_gradient[i], 1e-5) << i;
}

TEST(CrossEntropy, DividesAsItIsTold) {
  const Labels labels = random_labels(2, 9, 7, 3);
  const DTensor scores = upload_double(random_scores({2, 9, 7, 3}, 2.0f, "scores"));
  const std::vector<float> weight{0.5f, 2.0f, 1.0f};
  const auto value = [&](const Reduction& reduction) {
    return CrossEntropy<D>{.class_weight = weight, .reduction = reduction}(scores, labels).value;
  };
  double valid = 0;
  double weights = 0;
  for (std::uint8_t label : labels.bytes) {
    if (label == 255) continue;
    valid += 1;
    weights += static_cast<double>(weight[label]);
  }
  ASSERT_LT(valid, 126);
  const double sum = value(sum_over_pixels);
  EXPECT_NEAR(value(mean_over_all), sum / 126, 1e-12);
  EXPECT_NEAR(value(mean_over_valid), sum / valid, 1e-12);
  EXPECT_NEAR(value(mean_over_weights), sum / weights, 1e-12);
  EXPECT_NEAR(value(divided_by(17)), sum / 17, 1e-12);
}

/// Probabilities of the true class 0.9, 0.6, 0.3 and, ignored, 0.1, of two classes.
struct FourPixels {
  Labels labels{{0, 1, 0, 255}, 1, 1, 4};
  DTensor scores = [] {
    Array array{{1, 1, 4, 2}, {}};
    for (const auto& [p, k] : {std::pair{0.9, 0}, {0.6, 1}, {0.3, 0}, {0.1, 0}}) {
      const auto score = static_cast<float>(std::log(p / (1 - p)));
      array.values.insert(array.values.end(), {k == 0 ? score : 0, k == 0 ? 0 : score});
    }
    return upload_double(array);
  }();
};

TEST(OhemCrossEntropy, MeansOverTheHardPixels) {
  const FourPixels four;
  const auto value = [&](const OhemCrossEntropy<D>& loss) { return loss(four.scores, four.labels).value; };
  const double easy = -std::log(0.9);
  const double middle = -std::log(0.6);
  const double hard = -std::log(0.3);
  EXPECT_NEAR(value({.threshold = 0.7f, .min_kept = 1}), (middle + hard) / 2, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.5f, .min_kept = 1}), hard, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.1f, .min_kept = 1}), hard, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.1f, .min_kept = 2}), (middle + hard) / 2, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.1f, .min_kept = 3}), (easy + middle + hard) / 3, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.1f, .min_kept = 4}), (easy + middle + hard) / 3, 1e-6);
  EXPECT_NEAR(value({.threshold = 0.7f, .min_kept = 1, .class_weight = {3, 1}}), (middle + 3 * hard) / 4,
              1e-6);
}

TEST(Focal, WithoutFocusIsHalfTheBinaryCrossEntropy) {
  const Labels labels = random_labels(2, 5, 7, 3);
  const DTensor scores = upload_double(random_scores({2, 3, 4, 3}, 2.0f, "scores"));
  const auto focal = Focal<D>{.gamma = 0}(scores, labels);
  const auto binary = BinaryCrossEntropy<D>{}(scores, labels);
  EXPECT_NEAR(2 * focal.value, binary.value, 1e-12);
}

TEST(Tversky, OfEqualPricesIsDice) {
  const Labels labels = random_labels(2, 5, 7, 3);
  const DTensor scores = upload_double(random_scores({2, 3, 4, 3}, 2.0f, "scores"));
  const auto tversky = Tversky<D>{.alpha = 0.5f, .beta = 0.5f, .smooth = 1}(scores, labels);
  const auto dice = Dice<D>{.smooth = 2, .exponent = 1, .ignored = IgnoredPixels::left_out}(scores, labels);
  EXPECT_NEAR(tversky.value, dice.value, 1e-12);
}

TEST(Dice, LeavesIgnoredPixelsOutWhenTold) {
  const Labels labels = random_labels(1, 6, 6, 3);
  Array scores = random_scores({1, 6, 6, 3}, 2.0f, "scores");
  const Dice<D> left_out{.ignored = IgnoredPixels::left_out};
  const double before = left_out(upload_double(scores), labels).value;
  const double official = Dice<D>{}(upload_double(scores), labels).value;
  for (std::size_t i = 0; i < labels.bytes.size(); ++i) {
    if (labels.bytes[i] == 255) scores.values[3 * i] += 5;
  }
  EXPECT_EQ(left_out(upload_double(scores), labels).value, before);
  EXPECT_NE(Dice<D>{}(upload_double(scores), labels).value, official);
}

/// At predictions without doubt the extension is the Jaccard loss itself.
TEST(LovaszSoftmax, IsOneMinusIouOfHardPredictions) {
  const Labels labels{{0, 0, 0, 1, 1, 255}, 1, 1, 6};
  const std::vector<int> predicted{0, 0, 1, 1, 2, 0};
  Array scores{{1, 1, 6, 4}, std::vector<float>(24)};
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    scores.values[4 * i + static_cast<std::size_t>(predicted[i])] = 100;
  }
  const DTensor x = upload_double(scores);
  const double first = 1 - 2.0 / 3.0;
  const double second = 1 - 1.0 / 3.0;
  EXPECT_NEAR(LovaszSoftmax<D>{}(x, labels).value, (first + second) / 2, 1e-6);
  EXPECT_NEAR(LovaszSoftmax<D>{.classes = LovaszClasses::all}(x, labels).value, (first + second + 1) / 4,
              1e-6);
  EXPECT_NEAR(LovaszSoftmax<D>{.only = {0}}(x, labels).value, first, 1e-6);
}

TEST(LovaszHinge, IsZeroBeyondTheMargin) {
  const Labels labels{{0, 1, 255, 1}, 1, 2, 2};
  const auto good = LovaszHinge<D>{}(upload_double({{1, 2, 2, 1}, {-2, 2, -9, 1.5f}}), labels);
  EXPECT_EQ(good.value, 0.0);
  const auto bad = LovaszHinge<D>{}(upload_double({{1, 2, 2, 1}, {-2, 2, -9, -1}}), labels);
  EXPECT_DOUBLE_EQ(bad.value, 1.0);  // an error of 2, and half of the union lost
}

TEST(MaskCrossEntropy, RejectsWhatDoesNotFit) {
  const DTensor scores = upload_double(random_scores({2, 2, 2, 3}, 1.0f, "scores"));
  const std::vector<float> masks(8, 0.5f);
  const std::vector<int> classes{0, 2};
  EXPECT_NO_THROW(mask_cross_entropy<D>(scores, masks, 2, 2, classes));
  EXPECT_THROW(mask_cross_entropy<D>(scores, masks, 2, 3, classes), ShapeError);
  EXPECT_THROW(mask_cross_entropy<D>(scores, masks, 2, 2, std::vector<int>{1}), ShapeError);
  EXPECT_THROW(mask_cross_entropy<D>(scores, masks, 2, 2, std::vector<int>{0, 3}), ArgumentError);
}

TEST(Accuracy, IsNanWhereAllIsIgnored) {
  const Labels labels{{255, 255}, 1, 1, 2};
  EXPECT_TRUE(std::isnan(accuracy<D>(upload_double(random_scores({1, 1, 2, 3}, 1.0f, "scores")), labels)));
}

TEST(Accuracy, ResizesTheScores) {
  const Labels labels{{0, 0, 1, 1}, 1, 1, 4};
  const DTensor scores = upload_double({{1, 1, 2, 2}, {1, 0, 0, 1}});
  EXPECT_EQ(accuracy<D>(scores, labels), 1.0);
}

TEST(WeightedSum, AddsValuesAndGradients) {
  const Labels labels = random_labels(2, 5, 7, 3);
  const DTensor scores = upload_double(random_scores({2, 3, 4, 3}, 2.0f, "scores"));
  const auto dice = Dice<D>{}(scores, labels);
  const auto focal = Focal<D>{}(scores, labels);
  const WeightedSum loss{Term{1.0, Dice<D>{}}, Term{3.0, Focal<D>{}}};
  static_assert(Loss<decltype(loss)>);
  const auto sum = loss(scores, labels);
  EXPECT_DOUBLE_EQ(sum.value, dice.value + 3 * focal.value);
  const std::vector<float> first = host_values(dice.gradient);
  const std::vector<float> second = host_values(focal.gradient);
  const std::vector<float> both = host_values(sum.gradient);
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_NEAR(both[i], first[i] + 3 * second[i], 1e-7);
}

TEST(WithAuxiliary, AddsAShareOfTheOtherHead) {
  const Labels labels = random_labels(2, 8, 8, 3);
  const DTensor main = upload_double(random_scores({2, 4, 4, 3}, 2.0f, "main"));
  const DTensor auxiliary = upload_double(random_scores({2, 2, 2, 3}, 2.0f, "auxiliary"));
  const WithAuxiliary<Dice<D>, Focal<D>> loss{.weight = 0.4};
  const auto result = loss(main, auxiliary, labels);
  const auto first = Dice<D>{}(main, labels);
  const auto second = Focal<D>{}(auxiliary, labels);
  EXPECT_EQ(result.main, first.value);
  EXPECT_EQ(result.auxiliary, second.value);
  EXPECT_DOUBLE_EQ(result.value, first.value + 0.4 * second.value);
  EXPECT_EQ(host_values(result.main_gradient), host_values(first.gradient));
  const std::vector<float> gradient = host_values(result.auxiliary_gradient);
  const std::vector<float> whole = host_values(second.gradient);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(gradient[i], 0.4f * whole[i], 1e-7);
}

/// A device that lends no threads: every index once.
TEST(HostThreads, StandAloneWhereADeviceLendsNone) {
  struct Elsewhere {};
  const HostThreads threads{Elsewhere{}};
  std::vector<int> visits(1000);
  threads.for_each(1000, [&](std::int64_t i) { ++visits[static_cast<std::size_t>(i)]; });
  EXPECT_EQ(visits, std::vector<int>(1000, 1));
  threads.for_each(0, [](std::int64_t) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace dformer::testing
