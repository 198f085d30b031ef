#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <support/filled.hpp>
#include <support/parameter_values.hpp>

#include <dformer/models/asymformer.hpp>
#include <dformer/train.hpp>

namespace dformer::testing {
namespace {

using B = Autodiff<TestBackend>;

// Loss, gradients and three steps of the official training, batch 2 of 64 x 96, without dropout.
class AsymFormerSteps : public ::testing::Test {
 protected:
  AsymFormerSteps() {
    const TestBackend::Device device;
    fill_module(network_, "", device);
    network_.set_dropout(0.0f);
    batch_.color = filled_image("input.rgb", {2, 3, 64, 96}, 2.0f).values;
    batch_.depth = filled_image("input.depth", {2, 1, 64, 96}, 1.0f).values;
    for (const float label : golden_.array("label").values)
      batch_.labels.push_back(static_cast<std::uint8_t>(label == 0.0f ? 255.0f : label - 1.0f));
  }

  /// visit(number in the fixture, parameter) of all that are trained.
  template <class Visit>
  void for_each_trained(const Visit& visit) {
    const std::vector<std::string> names = golden_.json("names");
    std::size_t i = 0;
    for (const auto& entry : parameters(network_)) {
      if (entry.parameter->kind() != ParameterKind::trained) continue;
      ASSERT_LT(i, names.size());
      ASSERT_EQ(entry.name, names[i]);
      visit(i++, entry);
    }
    EXPECT_EQ(i, names.size());
  }
  bool is_zero(const std::string& name) const {
    const std::vector<std::string> zero = golden_.json("structurally_zero_gradient");
    return std::ranges::find(zero, name) != zero.end();
  }

  const Golden golden_{"asymformer/train.2x64x96"};
  TrainBatch batch_{2, 64, 96, {}, {}, {}};
  AsymFormer<B> network_;
};

TEST_F(AsymFormerSteps, GradientsAgree) {
  const auto device = device_of(network_);
  const auto logits = network_(B::from_host(device, {2, 64, 96, 3}, batch_.color),
                               B::from_host(device, {2, 64, 96, 1}, batch_.depth));
  const auto loss = CrossEntropy<TestBackend>{}(logits.value(), {batch_.labels, 2, 64, 96});
  EXPECT_NEAR(loss.value, golden_.array("losses").values[0], 1e-5);
  autodiff::LeafGradients<TestBackend> gradients;
  backward(logits, loss.gradient, gradients);

  const Array norms = golden_.array("grad_norm"), places = golden_.array("grad_idx"),
              samples = golden_.array("grad_val");
  const float largest_of_all = norms.max_abs();
  for_each_trained([&](std::size_t i, const Named<Parameter<B>>& entry) {
    const auto gradient = gradients.of(entry.parameter->value());
    ASSERT_TRUE(gradient) << entry.name;
    const std::vector<float> values = host_values<TestBackend>(*entry.parameter, gradient);
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
    const double norm = std::sqrt(squares);
    if (is_zero(entry.name)) {
      EXPECT_LT(norm, 1e-6 * static_cast<double>(largest_of_all)) << entry.name;
      return;
    }
    // The reference's own float run is off by up to 3.5e-6 of a norm and 1.8e-5 of the largest sample.
    EXPECT_NEAR(norm, norms.values[i], 1e-4 * static_cast<double>(norms.values[i])) << entry.name;
    double largest = 0;
    for (std::size_t s = 0; s < 32; ++s)
      largest = std::max(largest, static_cast<double>(std::abs(samples.values[32 * i + s])));
    for (std::size_t s = 0; s < 32; ++s) {
      EXPECT_NEAR(values[static_cast<std::size_t>(places.values[32 * i + s])], samples.values[32 * i + s],
                  4e-4 * largest)
          << entry.name << " sample " << s;
    }
  });
}

TEST_F(AsymFormerSteps, StepsOfAdamWAgree) {
  ParameterGroups<Parameter<B>> groups;
  for (const auto& entry : parameters(network_)) {
    if (entry.parameter->kind() == ParameterKind::trained) groups.decay.push_back(entry);
  }
  Trainer trainer(network_, CrossEntropy<TestBackend>{}, Optimizer<B>(AdamW{.weight_decay = 0.01}, groups),
                  [](std::int64_t) { return 5e-5; });
  for (const float expected : golden_.array("losses").values)
    EXPECT_NEAR(trainer.step(batch_).loss, expected, 2e-5 * static_cast<double>(expected));

  // Adam divides a gradient by its own size: an element whose gradient is rounding goes its own way, but no
  // further than a learning rate a step.
  const Array places = golden_.array("grad_idx"), samples = golden_.array("params_after_val"),
              rounded = golden_.array("params_after_val_torch_f32");
  std::size_t apart = 0, compared = 0;
  for_each_trained([&](std::size_t i, const Named<Parameter<B>>& entry) {
    if (is_zero(entry.name)) return;
    const auto values = host_values<TestBackend>(*entry.parameter, entry.parameter->value().value());
    for (std::size_t s = 32 * i; s < 32 * (i + 1); ++s) {
      const double difference =
          std::abs(static_cast<double>(values[static_cast<std::size_t>(places.values[s])]) -
                   static_cast<double>(samples.values[s]));
      const double of_reference =
          std::abs(static_cast<double>(rounded.values[s]) - static_cast<double>(samples.values[s]));
      EXPECT_LT(difference, 3 * 2 * 5e-5) << entry.name;
      ++compared;
      apart += difference > std::max(20 * of_reference, 2e-6) ? 1 : 0;
    }
  });
  std::size_t statistics = 0;
  for (const auto& [name, parameter] : parameters(network_)) {
    if (!golden_.has("after." + name)) continue;
    ++statistics;
    const Array expected = golden_.array("after." + name);
    const Array found{parameter->shape(), host_values<TestBackend>(*parameter, parameter->value().value())};
    expect_close(found, expected, 1e-4 * std::max(1.0f, expected.max_abs()), name);
  }
  EXPECT_EQ(statistics, 26u);
  EXPECT_LT(apart, compared / 200) << "of " << compared;
}

}  // namespace
}  // namespace dformer::testing
