// What a training goes on with, file kind by file kind: the rows of the table in docs/training.md.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include "train/small_run.hpp"
#include <dformer/io/convert.hpp>

namespace dformer {
namespace {

namespace fs = std::filesystem;
using testing::expect_mentions;
using testing::SmallRun;
using testing::SmallRunOptions;

/// The dict under a name, made where there is none.
TorchDict& dict_in(TorchDict& tree, const std::string& name) {
  TorchValue* child = detail::find(tree, name);
  if (child == nullptr) {
    tree.add(name, TorchDict());
    child = &tree.entries.back().value;
  }
  return std::get<TorchDict>(child->content());
}

class ResumeMatrix : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = new testing::TemporaryFolder;
    SmallRun part(options(5, "part"));
    part.fit();
    SmallRun(options(8, "whole")).fit();
    write_torch_checkpoint(file("official.pth"),
                           TorchDict{{"model", torch_state_dict(part.network)},
                                     {"optimizer", detail::optimizer_state(part.trainer->optimizer(), 1e-3)},
                                     {"epoch", 1},
                                     {"iteration", 3}});
    save_torch(part.network, file("weights.pth"));
  }
  static void TearDownTestSuite() { delete files_; }

  /// A run of so many steps, with averaged weights.
  static SmallRunOptions options(std::int64_t iterations, const std::string& name) {
    SmallRunOptions result;
    result.ema_decay = 0.8;
    result.fit.max_iterations = iterations;
    result.fit.folder = file(name);
    fs::create_directory(result.fit.folder);
    return result;
  }
  static fs::path file(const std::string& name) { return *files_ / name; }
  static fs::path state() { return file("part") / "last.pth"; }
  static std::string content(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// The file in another container.
  static fs::path as(const fs::path& from, const std::string& name, const ConvertOptions& how = {}) {
    convert_checkpoint(from, file(name), how);
    return file(name);
  }

  /// All of it: what follows is, to the last bit, what follows without a stop.
  static void expect_goes_on(const fs::path& from) {
    SCOPED_TRACE(from);
    SmallRun run(options(8, "next"));
    const ResumedTraining resumed = run.resume(from);
    EXPECT_TRUE(resumed.complete) << resumed.lacks;
    EXPECT_EQ(resumed.progress.iteration, 5);
    run.fit();
    EXPECT_TRUE(content(file("next") / "last.pth") == content(file("whole") / "last.pth"));
  }
  static void expect_goes_on_after_its_epoch(const fs::path& from) {
    SCOPED_TRACE(from);
    SmallRun run(options(8, "next"));
    const ResumedTraining resumed = run.resume(from);
    EXPECT_TRUE(resumed.complete) << resumed.lacks;
    EXPECT_EQ(resumed.progress.epoch, 1);
    EXPECT_EQ(resumed.progress.iteration, 4);
    EXPECT_EQ(resumed.progress.seed, 7u) << "the run's own";
  }
  static void expect_weights_only(const fs::path& from, const std::string& because) {
    SCOPED_TRACE(from);
    SmallRun run(options(8, "next"));
    const ResumedTraining resumed = run.resume(from);
    EXPECT_FALSE(resumed.complete);
    expect_mentions(resumed.lacks, {because});
    EXPECT_EQ(resumed.progress.epoch, 0);
    EXPECT_EQ(resumed.progress.iteration, 0);
    EXPECT_TRUE(resumed.weights.complete()) << to_string(resumed.weights);
    EXPECT_TRUE(run.trainer->optimizer().slots().front().moments.empty());
  }

  static inline testing::TemporaryFolder* files_ = nullptr;
};

/// As Jittor's port of DFormer saves one: its optimizer has settings and no moments.
TorchDict jittor_state(const Checkpoint& weights) {
  TorchDict model;
  for (const TensorRecord& tensor : weights.tensors())
    model.add(to_jittor_key(tensor.name), record_source(tensor));
  return {{"epoch", 3},
          {"iteration", 2},
          {"model", std::move(model)},
          {"optimizer", TorchDict{{"defaults", TorchDict{{"lr", 6e-5},
                                                         {"param_sync_iter", 10000},
                                                         {"eps", 1e-8},
                                                         {"betas", TorchTuple{0.9, 0.999}},
                                                         {"weight_decay", 0.01}}}}}};
}

TEST_F(ResumeMatrix, AStateOfARunGoesOnToTheLastBitFromEveryContainerThatHoldsIt) {
  expect_goes_on(state());
  expect_goes_on(as(state(), "legacy.pth", {.legacy = true}));
  expect_goes_on(as(state(), "state.pkl"));
  expect_goes_on(as(file("state.pkl"), "back.pth"));
}

TEST_F(ResumeMatrix, AStateOfTheOfficialCodeGoesOnAfterItsEpoch) {
  expect_goes_on_after_its_epoch(file("official.pth"));
  expect_goes_on_after_its_epoch(as(file("official.pth"), "official_legacy.pth", {.legacy = true}));
  expect_goes_on_after_its_epoch(as(file("official.pth"), "official.pkl"));
}

TEST_F(ResumeMatrix, AStateInAContainerOfTensorsIsWeightsOnly) {
  expect_weights_only(as(state(), "state.safetensors"), "no state of an optimizer");
  expect_weights_only(as(state(), "state.npz"), "no state of an optimizer");
}

TEST_F(ResumeMatrix, WeightsOfTorchAreWeightsOnly) {
  const fs::path weights = file("weights.pth");
  expect_weights_only(weights, "no state of an optimizer");
  expect_weights_only(as(weights, "raw.pth", {.place = ""}), "no state of an optimizer");
  expect_weights_only(as(weights, "state_dict.pth", {.place = "state_dict"}), "no state of an optimizer");
  expect_weights_only(as(weights, "weights_legacy.pth", {.legacy = true}), "no state of an optimizer");
  expect_weights_only(as(weights, "weights.safetensors"), "no state of an optimizer");
}

TEST_F(ResumeMatrix, WeightsOfJittorAreWeightsOnly) {
  expect_weights_only(as(file("weights.pth"), "weights.pkl", {.place = ""}), "no state of an optimizer");
  expect_weights_only(as(file("weights.pth"), "model.pkl"), "no state of an optimizer");
  EXPECT_NE(read_checkpoint(file("model.pkl")).find("decode_head.cls_seg.bias"), nullptr)
      << "by its own names";
}

TEST_F(ResumeMatrix, AStateOfJittorIsWeightsOnly) {
  const Checkpoint weights = read_checkpoint(file("weights.pth"));
  write_jittor_pickle(file("jittor.pkl"), jittor_state(weights));
  expect_weights_only(file("jittor.pkl"), "Jittor");
  write_torch_checkpoint(file("jittor.pth"), jittor_state(weights));
  expect_weights_only(file("jittor.pth"), "Jittor");
}

TEST_F(ResumeMatrix, AStateWithoutMomentsOrEpochIsWeightsOnly) {
  const Checkpoint weights = read_checkpoint(file("weights.pth"));
  TorchDict unused = weights.tree();
  dict_in(unused, "optimizer").add("state", TorchDict()).add("lr", 1e-3);
  for (const TensorRecord& tensor : weights.tensors())
    dict_in(unused, "model").add(tensor.name, record_source(tensor));
  write_torch_checkpoint(file("unused.pth"), unused);
  expect_weights_only(file("unused.pth"), "no moments");

  const Checkpoint official = read_checkpoint(file("official.pth"));
  TorchDict timeless = official.tree();
  for (const TensorRecord& tensor : official.tensors())
    dict_in(timeless, "model").add(tensor.name, record_source(tensor));
  std::erase_if(timeless.entries, [](const TorchEntry& entry) { return entry.key == TorchKey("epoch"); });
  write_torch_checkpoint(file("timeless.pth"), timeless);
  expect_weights_only(file("timeless.pth"), "no epoch");
}

TEST_F(ResumeMatrix, AStateOfAnotherOptimizerIsRefused) {
  SmallRunOptions sgd = options(8, "next");
  sgd.rule = Sgd{};
  SmallRun run(sgd);
  EXPECT_THROW(run.resume(state()), CheckpointError);
}

TEST_F(ResumeMatrix, NumbersThatNoRunReachesAreRefused) {
  SmallRun run(options(8, "numbers"));
  run.resume(state());
  const auto refused = [&](const std::string& what, const auto& spoil) {
    TorchDict optimizer = detail::optimizer_state(run.trainer->optimizer(), 1e-3);
    TorchDict tree{{"model", torch_state_dict(run.network)}, {"epoch", 1}, {"iteration", 5}};
    tree.add("optimizer", std::move(optimizer));
    tree.add("dformer", TorchDict{{"seed", "7"}});
    spoil(tree);
    write_torch_checkpoint(file("spoilt.pth"), tree);
    try {
      run.resume(file("spoilt.pth"));
      ADD_FAILURE() << what << " was accepted";
    } catch (const CheckpointError& error) {
      expect_mentions(error.what(), {"spoilt.pth", what});
    }
  };
  const auto set = [](const char* name, TorchValue value) {
    return [name, value](TorchDict& tree) { *detail::find(tree, name) = value; };
  };
  const auto set_step = [](TorchValue value) {
    return [value](TorchDict& tree) {
      TorchDict& states = dict_in(dict_in(tree, "optimizer"), "state");
      *detail::find(std::get<TorchDict>(states.entries.front().value.content()), "step") = value;
    };
  };
  const auto set_scale = [](double scale, std::int64_t good) {
    return [scale, good](TorchDict& tree) {
      dict_in(tree, "dformer").add("loss_scale", scale).add("good_updates", good);
    };
  };
  refused("epoch, in steps,", set("epoch", std::int64_t{1} << 53));
  refused("epoch is", set("epoch", std::int64_t{1} << 62));
  refused("iteration is -5", set("iteration", -5));
  refused("optimizer.state.0.step is nan", set_step(tensor_of(NAN)));
  refused("optimizer.state.0.step is 0", set_step(tensor_of(0.0f)));
  refused("optimizer.state.0.step is 1e+30", set_step(tensor_of(1e30f)));
  refused("optimizer.state.0.step has shape (0)", set_step(tensor_of({0}, std::vector<float>{})));
  refused("dformer.loss_scale is nan", set_scale(NAN, 0));
  refused("dformer.loss_scale is 0", set_scale(0, 0));
  refused("dformer.good_updates is -1", set_scale(1, -1));
}

}  // namespace
}  // namespace dformer
