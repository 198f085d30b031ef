// Training steps of a small network on the backend Cuda beside those on the CPU, in three precisions.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <support/backend_under_test.hpp>
#include <support/small_network.hpp>
#include <unistd.h>

#include <dformer/backend/autodiff/autodiff.hpp>
#include <dformer/backend/cpu/gradients/gradients.hpp>
#include <dformer/backend/cuda/gradients/gradients.hpp>
#include <dformer/losses/cross_entropy.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/train/trainer.hpp>
#include <dformer/train/training_state.hpp>

namespace dformer::testing {
namespace {

constexpr int updates = 1;  // each of two batches; on the emulation a batch takes seconds

TrainBatch made_batch() {
  TrainBatch batch{.count = 2, .height = 32, .width = 32, .color = {}, .depth = {}, .labels = {}};
  const NamedStream color("color"), depth("depth"), label("label");
  for (std::size_t i = 0; i < 2 * 32 * 32; ++i) {
    for (std::size_t c = 0; c < 3; ++c) batch.color.push_back(2 * color.symmetric(3 * i + c));
    batch.depth.push_back(depth.symmetric(i));
    batch.labels.push_back(static_cast<std::uint8_t>(small_classes * label.uniform(i)));
  }
  return batch;
}

struct Trained {
  std::vector<double> losses;
  std::vector<double> norms;
  std::vector<float> moves;  ///< of all parameters, from where they began
};

template <class Network>
std::vector<float> trained_values(Network& network) {
  using B = typename Network::Backend;
  std::vector<float> all;
  for (const auto& [name, parameter] : parameters(network)) {
    if (parameter->kind() != ParameterKind::trained) continue;
    std::vector<float> values(static_cast<std::size_t>(parameter->shape().numel()));
    B::weight_to_host(parameter->value(), parameter->layout(), values);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

template <class Inner>
Trained train(const OptimizerRule& rule, const typename Inner::Device& device) {
  using B = Autodiff<Inner>;
  SmallNetwork<B> network;
  initialize(network, 3, device);
  network.backbone.set_drop_path(0.2f);
  const std::vector<float> start = trained_values(network);
  Trainer trainer(network, CrossEntropy<Inner>{},
                  Optimizer<B>(rule, group_parameters(parameters(network), ParameterPolicy::full)),
                  [](std::int64_t) { return 1e-2; }, {.accumulate = 2, .clip_norm = 0.5});
  Trained trained;
  for (int step = 0; step < 2 * updates; ++step) {
    const TrainStep report = trainer.step(made_batch());
    EXPECT_FALSE(report.skipped);
    EXPECT_EQ(report.updated, step % 2 == 1);
    trained.losses.push_back(report.loss);
    if (report.updated) trained.norms.push_back(report.gradient_norm);
  }
  trained.moves = trained_values(network);
  for (std::size_t i = 0; i < start.size(); ++i) trained.moves[i] -= start[i];
  return trained;
}

/// |a - b| / |b|, of vectors.
template <class T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
  double squares = 0, all = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double one = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squares += one * one;
    all += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return std::sqrt(squares / all);
}

template <class Scalar>
void expect_trains_as_on_cpu(double bound) {
  const OptimizerRule rule = Sgd{.weight_decay = 1e-3};
  const Trained expected = train<Cpu<>>(rule, cpu::Device());
  const Trained trained =
      train<Cuda<Scalar>>(rule, cuda::Device(cuda::DeviceOptions{.master_weights = true}));
  ASSERT_EQ(trained.moves.size(), expected.moves.size());
  EXPECT_LT(difference(trained.losses, expected.losses), bound);
  EXPECT_LT(difference(trained.norms, expected.norms), bound);
  EXPECT_LT(difference(trained.moves, expected.moves), bound);
}

TEST(TrainStep, IsThatOfTheCpu) {
  expect_trains_as_on_cpu<float>(1e-4);
}
/// Each operation, forward and backward, rounds its result once, by at most the unit roundoff u: twice the
/// bound of networks that infer (networks_test.cpp), 60 u.
TEST(TrainStep, InHalf) {
  expect_trains_as_on_cpu<half>(60 * 0x1p-11);
}
TEST(TrainStep, InBfloat16) {
  expect_trains_as_on_cpu<bfloat16>(60 * 0x1p-8);
}

/// On the emulation the threads of the second run go in another order.
TEST(TrainStep, RepeatsBitByBitOnADeterministicDevice) {
  const cuda::DeviceOptions options{.master_weights = true, .deterministic = true};
  const cuda::Device device(options), again(options);
#if defined(DFORMER_CUDA_EMULATION)
  again.stream()->order = cuda::emulation::Order::shuffled;
#endif
  const Trained first = train<Cuda<bfloat16>>(Sgd{}, device), second = train<Cuda<bfloat16>>(Sgd{}, again);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.norms, second.norms);
  EXPECT_EQ(first.moves, second.moves);
}

/// Masters and moments are float32 in the file and behind it.
TEST(TrainStep, GoesOnFromAStateInHalf) {
  using Scalar = half;
  using B = Autodiff<Cuda<Scalar>>;
  const cuda::Device device(cuda::DeviceOptions{.master_weights = true});
  struct Run {
    SmallNetwork<B> network;
    std::optional<Trainer<SmallNetwork<B>, CrossEntropy<Cuda<Scalar>>>> trainer;

    Run(const cuda::Device& on, std::uint64_t seed) {
      initialize(network, seed, on);
      trainer.emplace(network, CrossEntropy<Cuda<Scalar>>{},
                      Optimizer<B>(AdamW{}, group_parameters(parameters(network), ParameterPolicy::full)),
                      [](std::int64_t) { return 1e-3; });
    }
  };
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("dformer_train_step_test." + std::to_string(::getpid()));
  Run whole(device, 3), resumed(device, 4);
  whole.trainer->step(made_batch());
  save_training_state<SmallNetwork<B>, B>(
      file, whole.network, whole.trainer->optimizer(), nullptr,
      {.iteration = 1, .seed = 12345, .loss_scale = whole.trainer->loss_scale()}, 1e-3);
  const ResumedTraining state = resume_training<SmallNetwork<B>, B>(
      file, resumed.network, resumed.trainer->optimizer(), nullptr, {}, 10, device);
  std::filesystem::remove(file);
  EXPECT_TRUE(state.complete) << state.lacks;
  resumed.trainer->set_progress(state.progress.iteration, state.progress.seed);
  EXPECT_TRUE(state.progress.loss_scale);
  whole.trainer->step(made_batch());
  resumed.trainer->step(made_batch());
  EXPECT_EQ(trained_values(whole.network), trained_values(resumed.network));
}

/// By default the loss of a network in half is scaled, and that of others is not.
TEST(TrainStep, ScalesTheLossInHalfAlone) {
  const auto scale = []<class Scalar>(Scalar) {
    using B = Autodiff<Cuda<Scalar>>;
    SmallNetwork<B> network;
    initialize(network, 3, cuda::Device());
    const Trainer trainer(network, CrossEntropy<Cuda<Scalar>>{},
                          Optimizer<B>(AdamW{}, group_parameters(parameters(network), ParameterPolicy::full)),
                          [](std::int64_t) { return 1e-2; });
    const auto state = trainer.loss_scale();
    return state ? state->scale : 0.0;
  };
  EXPECT_EQ(scale(half{}), 65536.0);
  EXPECT_EQ(scale(bfloat16{}), 0.0);
  EXPECT_EQ(scale(0.0f), 0.0);
}

}  // namespace
}  // namespace dformer::testing
