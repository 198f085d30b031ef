// The variants that train, chosen by name: dformer::training_models.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/core/random.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/share.hpp>

namespace dformer {
namespace {

using Recorded = Autodiff<Cpu<>>;
using Network = AnySegmenter<Recorded>;

Cpu<>::Tensor noise(const Shape& shape, const char* name) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  const NamedStream stream(name);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.symmetric(i);
  return Cpu<>::from_host(Cpu<>::default_device(), shape, values);
}

Recorded::Tensor forward(const Network& network, std::uint64_t step) {
  const autodiff::ForwardRandom random(1, step);
  return network(Recorded::Tensor(noise({2, 40, 56, 3}, "rgb")),
                 Recorded::Tensor(noise({2, 40, 56, 1}, "depth")));
}

std::vector<float> values(const Cpu<>::Tensor& tensor) {
  std::vector<float> result(static_cast<std::size_t>(tensor.shape().numel()));
  Cpu<>::to_host(tensor, result);
  return result;
}
std::vector<float> scores(const Network& network, std::uint64_t step) {
  return values(forward(network, step).value());
}

class TrainingZoo : public ::testing::TestWithParam<const char*> {};

// A pass forward and one back reach every weight, and what trains is what infers.
TEST_P(TrainingZoo, TrainsWithAnyNumberOfClasses) {
  const auto network = make_segmenter<Recorded>(GetParam(), 13);
  initialize(*network, 1);
  const Recorded::Tensor logits = forward(*network, 1);
  EXPECT_EQ(logits.shape(), (Shape{2, 5, 7, 13}));
  autodiff::LeafGradients<Cpu<>> gradients;
  backward(logits, noise(logits.shape(), "dy"), gradients);
  for (const auto& [name, parameter] : parameters(*network)) {
    if (parameter->kind() != ParameterKind::trained) continue;
    for (float value : values(gradients.of(parameter->value()))) ASSERT_TRUE(std::isfinite(value)) << name;
  }

  const auto inferring = make_segmenter<Cpu<>>(GetParam(), 13);
  share_parameters(*network, *inferring);
  const Cpu<>::Tensor inferred = (*inferring)(noise({1, 40, 56, 3}, "rgb"), noise({1, 40, 56, 1}, "depth"));
  EXPECT_EQ(inferred.shape(), (Shape{1, 5, 7, 13}));
  const auto other = make_segmenter<Cpu<>>(GetParam(), 12);
  EXPECT_THROW(share_parameters(*network, *other), ArgumentError);
}

TEST_P(TrainingZoo, LeavesOutWhatItIsToldTo) {
  const auto network = make_segmenter<Recorded>(GetParam(), 13);
  initialize(*network, 1);
  for (const auto& [name, parameter] : parameters(*network)) {  // the official start hides each block
    if (name.find("layer_scale") == name.npos) continue;
    const std::vector<float> ones(static_cast<std::size_t>(parameter->shape().numel()), 1.0f);
    set_values<Recorded>(*parameter, ones, Recorded::default_device());
  }
  network->set_dropout(0.0f);
  EXPECT_EQ(scores(*network, 1), scores(*network, 2));
  network->set_dropout(0.5f);
  EXPECT_NE(scores(*network, 1), scores(*network, 2));
  EXPECT_EQ(scores(*network, 3), scores(*network, 3));
  network->set_dropout(0.0f);
  network->set_drop_path(0.5f);
  EXPECT_NE(scores(*network, 1), scores(*network, 2));
  EXPECT_EQ(scores(*network, 3), scores(*network, 3));

  for (float wrong : {-0.1f, 1.0f, std::nanf("")}) {
    EXPECT_THROW(network->set_dropout(wrong), ArgumentError);
    EXPECT_THROW(network->set_drop_path(wrong), ArgumentError);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, TrainingZoo, ::testing::Values("DFormer_Tiny", "DFormerv2_S"));

}  // namespace
}  // namespace dformer
