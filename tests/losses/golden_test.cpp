#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <losses/loss_test.hpp>

#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/losses/accuracy.hpp>
#include <dformer/losses/binary_cross_entropy.hpp>
#include <dformer/losses/cross_entropy.hpp>
#include <dformer/losses/dice.hpp>
#include <dformer/losses/focal.hpp>
#include <dformer/losses/lovasz_hinge.hpp>
#include <dformer/losses/lovasz_softmax.hpp>
#include <dformer/losses/mask_cross_entropy.hpp>
#include <dformer/losses/pixel_cross_entropy.hpp>
#include <dformer/losses/tversky.hpp>
#include <dformer/losses/weighted_sum.hpp>

/// Every fixture of the reference's loss modules, value and gradient.
namespace dformer::testing {
namespace {

using B = TestBackend;

/// Gradients of means are far below 1, so the stated tolerance of 1e-5 is taken of the largest of them.
double gradient_tolerance(const Array& expected) {
  return std::min(op_tolerance(expected), 1e-5 * static_cast<double>(expected.max_abs()));
}

void expect_value(double actual, double expected, const std::string& what) {
  EXPECT_NEAR(actual, expected, 1e-5 * std::max(1.0, std::abs(expected))) << what;
}

void expect_result(const LossValue<Tensor>& result, const Golden& golden) {
  expect_value(result.value, static_cast<double>(golden.array("output").values.at(0)), "value");
  const Array expected = scores_of(golden.array("grad.input.pred"));
  const auto upstream = static_cast<double>(golden.array("grad_output").values.at(0));
  expect_close(times(download(result.gradient), upstream), expected, gradient_tolerance(expected),
               "gradient");
}

std::vector<float> class_weight_of(const Golden& golden) {
  return golden.array("param.class_weight").values;
}

using Case = std::function<void(const Golden&)>;

/// A case for a loss whose settings follow from the fixture.
template <class Make>
Case loss_from(const Make& make) {
  return [make](const Golden& golden) {
    const Labels labels = labels_of(golden.array("input.label"));
    for (const auto& device : test_devices()) {
      expect_result(make(golden)(upload(device, scores_of(golden.array("input.pred"))), labels), golden);
    }
  };
}
template <Loss L>
Case loss_case(const L& loss, double weight = 1) {
  return loss_from([=](const Golden&) { return WeightedSum{Term{weight, loss}}; });
}

/// Runs what works on the host's arrays and returns what was in the gradient.
template <class HostLoss>
Array on_host(const Golden& golden, const HostLoss& loss) {
  Array scores = to_nhwc(golden.array("input.pred"));
  Array gradient{scores.shape, std::vector<float>(scores.values.size())};
  loss(HostScores{scores.values, gradient.values, scores.shape[0], scores.shape[1] * scores.shape[2],
                  scores.shape[3]},
       HostThreads(B::default_device()));
  return gradient;
}

/// The loss of every pixel, each with an upstream gradient of its own.
void pixel_losses(const Golden& golden) {
  const Labels labels = labels_of(golden.array("input.label"));
  const Array expected = golden.array("output");
  const Array upstream = golden.array("grad_output");
  on_host(golden, [&](const HostScores& scores, const HostThreads& threads) {
    const std::vector<double> losses = pixel_cross_entropy(scores, labels, 255, {}, {}, threads);
    expect_close({expected.shape, std::vector<float>(losses.begin(), losses.end())}, expected,
                 op_tolerance(expected), "value");
  });
  const Array gradient = on_host(golden, [&](const HostScores& scores, const HostThreads& threads) {
    pixel_cross_entropy(scores, labels, 255, {}, upstream.values, threads);
  });
  const Array expected_gradient = golden.nhwc("grad.input.pred");
  expect_close(gradient, expected_gradient, gradient_tolerance(expected_gradient), "gradient");
}

/// Pixels with weights of their own, meaned over all pixels.
void weighted_pixels(const Golden& golden) {
  const Labels labels = labels_of(golden.array("input.label"));
  const Array weight = golden.array("param.pixel_weight");
  const double factor = 0.4 / static_cast<double>(labels.bytes.size());
  double sum = 0;
  const Array gradient = on_host(golden, [&](const HostScores& scores, const HostThreads& threads) {
    for (double loss : pixel_cross_entropy(scores, labels, 255, {}, weight.values, threads)) sum += loss;
  });
  expect_value(factor * sum, static_cast<double>(golden.array("output").values.at(0)), "value");
  const Array expected = golden.nhwc("grad.input.pred");
  const auto upstream = static_cast<double>(golden.array("grad_output").values.at(0));
  expect_close(times(gradient, factor * upstream), expected, gradient_tolerance(expected), "gradient");
}

/// The focal loss of every class of every pixel, each with an upstream gradient of its own.
void focal_terms(const Golden& golden) {
  const Labels labels = labels_of(golden.array("input.label"));
  const Array scores = golden.nhwc("input.pred");
  const Array upstream = golden.nhwc("grad_output");
  Array values{scores.shape, std::vector<float>(scores.values.size())};
  Array gradient = values;
  const auto classes = static_cast<std::size_t>(scores.shape[3]);
  for (std::size_t i = 0; i < scores.values.size(); ++i) {
    const std::size_t label = labels.bytes[i / classes];
    if (label == 255) continue;
    const auto term = detail::focal_term(static_cast<double>(scores.values[i]), label == i % classes, 2, 0.5);
    values.values[i] = static_cast<float>(term.loss);
    gradient.values[i] = static_cast<float>(static_cast<double>(upstream.values[i]) * term.slope);
  }
  expect_close(values, golden.nhwc("output"), op_tolerance(golden.array("output")), "value");
  const Array expected = golden.nhwc("grad.input.pred");
  expect_close(gradient, expected, gradient_tolerance(expected), "gradient");
}

void mask(const Golden& golden) {
  const Array masks = golden.array("input.mask");
  std::vector<int> classes;
  for (float k : golden.array("input.class").values) classes.push_back(static_cast<int>(k));
  for (const auto& device : test_devices()) {
    const Tensor logits = upload(device, golden.nhwc("input.pred"));
    expect_result(mask_cross_entropy<B>(logits, masks.values, masks.shape[1], masks.shape[2], classes),
                  golden);
  }
}

void shares_that_are_right(const Golden& golden) {
  const Tensor logits = upload(B::default_device(), golden.nhwc("input.pred"));
  const Labels labels = labels_of(golden.array("input.label"));
  const Labels none_ignored = labels_of(golden.array("label_noignore"));
  const auto expect_percent = [&](double share, const std::string& key) {
    expect_value(100 * share, static_cast<double>(golden.array(key).values.at(0)), key);
  };
  expect_percent(accuracy<B>(logits, labels), "top1_ignore");
  expect_percent(accuracy<B>(logits, none_ignored), "top1");
  expect_percent(accuracy<B>(logits, none_ignored, 1), "top1_of_1_3");
  expect_percent(accuracy<B>(logits, none_ignored, 3), "top3_of_1_3");
}

const std::map<std::string, Case>& cases() {
  static const std::map<std::string, Case> all{
      {"accuracy", shares_that_are_right},
      {"bce_mask", mask},
      {"bce_sigmoid_binary", loss_case(BinaryCrossEntropy<B>{})},
      {"bce_sigmoid_mean_all", loss_case(BinaryCrossEntropy<B>{})},
      {"bce_sigmoid_mean_valid", loss_case(BinaryCrossEntropy<B>{.reduction = mean_over_valid})},
      {"bce_sigmoid_pos_weight", loss_from([](const Golden& golden) {
         return BinaryCrossEntropy<B>{.positive_weight = class_weight_of(golden)};
       })},
      {"bce_sigmoid_sum", loss_case(BinaryCrossEntropy<B>{.reduction = sum_over_pixels})},
      {"ce_avg_factor", loss_case(CrossEntropy<B>{.reduction = divided_by(17)})},
      {"ce_class_weight_mean_all", loss_from([](const Golden& golden) {
         return CrossEntropy<B>{.class_weight = class_weight_of(golden), .reduction = mean_over_all};
       })},
      {"ce_class_weight_mean_valid", loss_from([](const Golden& golden) {
         return CrossEntropy<B>{.class_weight = class_weight_of(golden)};
       })},
      {"ce_mean_all", loss_case(CrossEntropy<B>{.reduction = mean_over_all})},
      {"ce_mean_valid", loss_case(CrossEntropy<B>{})},
      {"ce_none", pixel_losses},
      {"ce_pixel_weight_lw0.4", weighted_pixels},
      {"ce_sum", loss_case(CrossEntropy<B>{.reduction = sum_over_pixels})},
      {"dice", loss_case(Dice<B>{})},
      {"dice_class_weight",
       loss_from([](const Golden& golden) { return Dice<B>{.class_weight = class_weight_of(golden)}; })},
      {"dice_ignore_class2", loss_case(Dice<B>{.ignore_index = 2})},
      {"dice_smooth0.5_exp1_lw2", loss_case(Dice<B>{.smooth = 0.5f, .exponent = 1.0f}, 2.0)},
      {"focal", loss_case(Focal<B>{})},
      {"focal_alpha_list", loss_case(Focal<B>{.class_alpha = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f}})},
      {"focal_class_weight",
       loss_from([](const Golden& golden) { return Focal<B>{.class_weight = class_weight_of(golden)}; })},
      {"focal_gamma1.5_alpha0.25_sum",
       loss_case(Focal<B>{.gamma = 1.5f, .alpha = 0.25f, .reduction = sum_over_pixels})},
      {"focal_none", focal_terms},
      {"lovasz_hinge", loss_case(LovaszHinge<B>{})},
      {"lovasz_hinge_per_image", loss_case(LovaszHinge<B>{.per_image = true})},
      {"lovasz_softmax", loss_case(LovaszSoftmax<B>{})},
      {"lovasz_softmax_all", loss_case(LovaszSoftmax<B>{.classes = LovaszClasses::all})},
      {"lovasz_softmax_class_weight", loss_from([](const Golden& golden) {
         return LovaszSoftmax<B>{.class_weight = class_weight_of(golden)};
       })},
      {"lovasz_softmax_list", loss_case(LovaszSoftmax<B>{.only = {0, 3, 5}})},
      {"lovasz_softmax_per_image", loss_case(LovaszSoftmax<B>{.per_image = true})},
      {"lovasz_softmax_present_absent2", loss_case(LovaszSoftmax<B>{})},
      {"tversky", loss_case(Tversky<B>{})},
      {"tversky_class_weight", loss_from([](const Golden& golden) {
         return Tversky<B>{
             .alpha = 0.4f, .beta = 0.6f, .smooth = 0.5f, .class_weight = class_weight_of(golden)};
       })},
  };
  return all;
}

class LossFixture : public ::testing::TestWithParam<std::string> {};

TEST_P(LossFixture, ValueAndGradient) {
  const auto found = cases().find(GetParam());
  ASSERT_NE(found, cases().end()) << "no loss is named for this fixture";
  found->second(Golden("losses/" + GetParam()));
}

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(std::string(DFORMER_TEST_DATA) + "/losses")) {
    if (file.path().extension() == ".safetensors") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Losses, LossFixture, ::testing::ValuesIn(fixtures()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(LossFixtures, AreAllThere) {
  EXPECT_EQ(fixtures().size(), 34u);
}

}  // namespace
}  // namespace dformer::testing
