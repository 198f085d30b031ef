#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dformer/io/counts.hpp>
#include <dformer/io/key_map.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/io/training_state_checkup.hpp>
#include <dformer/train/ema.hpp>
#include <dformer/train/loss_scale.hpp>
#include <dformer/train/optimizer.hpp>

namespace dformer {

/// How far a run has come. The data, and what is random in a step, follow from the seed and the iteration, so
/// nothing else has to be kept of them.
struct TrainingProgress {
  std::int64_t epoch = 0;      ///< epochs that are complete
  std::int64_t iteration = 0;  ///< batches that were trained on, over all epochs
  std::uint64_t seed = 0;
  std::optional<LossScaleState> loss_scale{};  ///< where the loss is scaled
};

/// What a file gave to go on with.
struct ResumedTraining {
  bool complete = false;    ///< false: the file gives weights only, and training starts at epoch 1
  std::string lacks{};      ///< then why: "it has no state of an optimizer"
  bool same_epochs = true;  ///< false: its epochs have another length, so its unfinished one is begun anew
  TrainingProgress progress{};
  LoadReport weights{};
};

namespace detail {

/// A tensor of B in PyTorch's order, fetched from the device when the file takes it.
template <class B>
TensorSource fetched(const typename B::Tensor& tensor, const Shape& shape, WeightLayout layout) {
  return {DType::float32, shape, [tensor, shape, layout](const ByteSink& sink) {
            std::vector<float> values(static_cast<std::size_t>(shape.numel()));
            B::weight_to_host(tensor, layout, values);
            sink(std::as_bytes(std::span(values)));
          }};
}

/// The options of a group as torch.optim names them.
inline TorchDict group_options(const OptimizerRule& rule, bool decays, double lr) {
  const double decay = decays ? std::visit([](const auto& r) { return r.weight_decay; }, rule) : 0.0;
  TorchDict options{{"lr", lr}, {"weight_decay", decay}};
  if (const auto* adamw = std::get_if<AdamW>(&rule)) {
    options.add("betas", TorchTuple{adamw->beta1, adamw->beta2});
    options.add("eps", adamw->eps).add("amsgrad", false);
  } else {
    options.add("momentum", std::get<Sgd>(rule).momentum);
    options.add("dampening", 0).add("nesterov", false);
  }
  return options.add("maximize", false).add("foreach", TorchValue()).add("differentiable", false);
}

/// What a state has of each parameter, by which its optimiser is told.
inline std::string first_moment(const OptimizerRule& rule) {
  return std::visit([](const auto& r) { return std::string(r.slot_names[0]); }, rule);
}

/// The state dict of an optimiser as torch.optim writes it.
template <class B>
TorchDict optimizer_state(const Optimizer<B>& optimizer, double lr) {
  TorchDict state;
  TorchList decay, no_decay;
  std::int64_t number = 0;
  for (const auto& slot : optimizer.slots()) {
    (slot.decays ? decay : no_decay).items.emplace_back(number);
    if (!slot.moments.empty()) {
      TorchDict entry;
      const auto& parameter = *slot.parameter.parameter;
      const auto add = [&](const auto& rule) {
        if (rule.slot_names.size() == 2) entry.add("step", tensor_of(static_cast<float>(slot.step)));
        for (std::size_t i = 0; i < rule.slot_names.size(); ++i) {
          entry.add(rule.slot_names[i],
                    fetched<typename B::Inner>(slot.moments[i], parameter.shape(), parameter.layout()));
        }
      };
      std::visit(add, optimizer.rule());
      state.add(number, std::move(entry));
    }
    ++number;
  }
  TorchDict decaying = group_options(optimizer.rule(), true, lr).add("params", std::move(decay));
  TorchDict others = group_options(optimizer.rule(), false, lr).add("params", std::move(no_decay));
  return {{"state", std::move(state)}, {"param_groups", TorchList{std::move(decaying), std::move(others)}}};
}

}  // namespace detail

namespace detail {

/// The state dict of the network that the averages make.
template <class Network, class B>
TorchDict averaged_state_dict(const Network& network, const WeightAverage<B>& average) {
  TorchDict dict = torch_state_dict(network);
  for (const auto& entry : average.entries()) {
    const auto& parameter = *entry.parameter.parameter;
    const auto found = std::ranges::find(dict.entries, TorchKey(entry.parameter.name), &TorchEntry::key);
    found->value =
        TorchValue(fetched<typename B::Inner>(entry.average, parameter.shape(), parameter.layout()));
  }
  return dict;
}

}  // namespace detail

/// Writes everything that a run needs to go on as if it had not been stopped, as the official code does:
/// `{model, optimizer, epoch, iteration}`, and under `dformer` what that has no place for. Averaged weights
/// are a whole network under `state_dict_ema`, which `load(net, path)` takes before `model`: it loads what
/// was scored. PyTorch reads the file. It appears complete or not at all. `average` may be null.
/// Throws: FileError.
template <class Network, class B>
void save_training_state(const std::filesystem::path& path, const Network& network,
                         const Optimizer<B>& optimizer, const WeightAverage<B>* average,
                         const TrainingProgress& progress, double lr) {
  TorchDict own{{"format", 1}, {"seed", std::to_string(progress.seed)}};
  TorchDict state{{"model", torch_state_dict(network)},
                  {"optimizer", detail::optimizer_state(optimizer, lr)},
                  {"epoch", progress.epoch},
                  {"iteration", progress.iteration}};
  if (average != nullptr) {
    state.add("state_dict_ema", detail::averaged_state_dict(network, *average));
    own.add("average_decay", average->decay());
  }
  if (progress.loss_scale) {
    own.add("loss_scale", progress.loss_scale->scale);
    own.add("good_updates", progress.loss_scale->good_updates);
  }
  state.add("dformer", std::move(own));
  write_torch_checkpoint(path, state);
}

namespace detail {

/// Throws: CheckpointError unless that is a state of an optimiser of this rule and of so many parameters.
inline void require_slots(const Checkpoint& checkpoint, const OptimizerRule& rule, std::size_t count) {
  const auto has = [&](std::size_t number) {
    return checkpoint.find_other(std::string(moment_prefix) + std::to_string(number) + "." +
                                 first_moment(rule)) != nullptr;
  };
  if (has(count - 1) && !has(count)) return;
  throw CheckpointError(CheckpointError::Kind::key_mismatch, checkpoint.path(), CheckpointError::no_offset,
                        "its optimizer has not the " + first_moment(rule) + " of " + std::to_string(count) +
                            " parameters; this is the training state of another network, optimizer or "
                            "choice of parameters. Its weights alone can be loaded");
}

/// What stands beside the weights for a parameter of that shape, in float32 and PyTorch's order. Throws:
/// CheckpointError where it is missing or has another shape.
inline std::vector<float> state_values(const Checkpoint& checkpoint, const std::string& name,
                                       const Shape& shape) {
  const TensorRecord* record = checkpoint.find_other(name);
  if (record == nullptr || !(record->shape == shape)) {
    throw CheckpointError(
        CheckpointError::Kind::key_mismatch, checkpoint.path(), CheckpointError::no_offset,
        name + " of shape " + to_string(shape) + " expected, " +
            (record == nullptr ? std::string("but there is none") : "got " + to_string(record->shape)) +
            "; this is the training state of another network, optimizer or choice of parameters");
  }
  return record->to_float32();
}

/// How far the run of a file came. Throws: CheckpointError for numbers that no run reaches.
inline void read_progress(const Checkpoint& checkpoint, std::int64_t steps_per_epoch,
                          ResumedTraining& resumed) {
  const auto count = [&](const char* name, std::int64_t otherwise) {
    const auto number = checkpoint.integer(name);
    return number ? io::require_count(static_cast<double>(*number), name, checkpoint.path()) : otherwise;
  };
  TrainingProgress& progress = resumed.progress;
  progress.epoch = count("epoch", 0);
  progress.iteration =
      io::require_count(static_cast<double>(progress.epoch) * static_cast<double>(steps_per_epoch),
                        "epoch, in steps,", checkpoint.path());
  // The official `iteration` counts within an epoch that is complete; ours counts from the first on.
  if (const auto seed = checkpoint.text("dformer.seed")) {
    std::from_chars(seed->data(), seed->data() + seed->size(), progress.seed);
    const std::int64_t iteration = count("iteration", 0);
    resumed.same_epochs = iteration / steps_per_epoch == progress.epoch;
    if (resumed.same_epochs) progress.iteration = iteration;
  }
  const auto scale = checkpoint.number("dformer.loss_scale");
  if (!scale) return;
  if (!LossScale::is_possible(*scale)) {
    throw CheckpointError(CheckpointError::Kind::corrupt_container, checkpoint.path(),
                          CheckpointError::no_offset,
                          "dformer.loss_scale is " + number_text(*scale) + "; 2^-100 to 2^100 expected");
  }
  progress.loss_scale = {*scale, count("dformer.good_updates", 0)};
}

/// The updates that a parameter has had. Throws: CheckpointError.
inline std::int64_t read_step(const Checkpoint& checkpoint, const std::string& name, std::int64_t otherwise) {
  if (const TensorRecord* step = checkpoint.find_other(name))
    return io::require_count(*step, checkpoint.path(), 1);
  const auto number = checkpoint.integer(name);  // as torch wrote it before 1.12
  return number ? io::require_count(static_cast<double>(*number), name, checkpoint.path(), 1) : otherwise;
}

}  // namespace detail

/// Goes on from a file: weights, and where the file has them the optimiser's moments, the averages and the
/// progress. A training state of the official code is taken as well, from the end of its epoch; of it and of
/// a file with weights only the seed and the progress are `start`, and averages start from the weights. Where
/// an epoch had another number of steps the run goes on from the end of the last complete one. `average` may
/// be null.
///
/// Nothing is changed unless all of the file fits. Throws: CheckpointError.
template <class Network, class B>
ResumedTraining resume_training(const std::filesystem::path& path, Network& network, Optimizer<B>& optimizer,
                                WeightAverage<B>* average, const TrainingProgress& start,
                                std::int64_t steps_per_epoch, const typename B::Device& device) {
  using Inner = typename B::Inner;
  Checkpoint checkpoint = read_checkpoint(path);
  if (checkpoint.selected() == "state_dict_ema") checkpoint.select("model");
  ResumedTraining resumed{.progress = start};

  std::vector<std::pair<std::int64_t, std::vector<typename Inner::Tensor>>> slots;
  std::vector<typename Inner::Tensor> averages;
  resumed.lacks = detail::lacking_optimizer(checkpoint);
  if (resumed.lacks.empty()) resumed.lacks = detail::lacking_epoch(checkpoint);
  resumed.complete = resumed.lacks.empty();
  if (resumed.complete) {
    detail::require_slots(checkpoint, optimizer.rule(), optimizer.slots().size());
    detail::read_progress(checkpoint, steps_per_epoch, resumed);
    for (std::size_t i = 0; i < optimizer.slots().size(); ++i) {
      const auto& parameter = *optimizer.slots()[i].parameter.parameter;
      const std::string prefix = std::string(detail::moment_prefix) + std::to_string(i) + ".";
      auto& slot = slots.emplace_back();
      slot.first = detail::read_step(checkpoint, prefix + "step",
                                     std::max<std::int64_t>(resumed.progress.iteration, 1));
      std::visit(
          [&](const auto& rule) {
            for (std::string_view name : rule.slot_names) {
              slot.second.push_back(Gradients<Inner>::moment_from_host(
                  device, parameter.layout(), parameter.shape(),
                  detail::state_values(checkpoint, prefix + std::string(name), parameter.shape())));
            }
          },
          optimizer.rule());
    }
    const auto name_of_average = [&](const auto& entry) {
      const std::string name = "state_dict_ema." + entry.parameter.name;
      return checkpoint.find_other(name) != nullptr ? name : to_jittor_key(name);
    };
    if (average != nullptr && checkpoint.find_other(name_of_average(average->entries().front()))) {
      for (const auto& entry : average->entries()) {
        const auto& parameter = *entry.parameter.parameter;
        averages.push_back(Inner::weight_from_host(
            device, parameter.layout(), parameter.shape(),
            detail::state_values(checkpoint, name_of_average(entry), parameter.shape())));
      }
    }
  }
  resumed.weights = load(network, checkpoint, {}, device);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    optimizer.slots()[i].step = slots[i].first;
    optimizer.slots()[i].moments = std::move(slots[i].second);
  }
  if (average != nullptr) averages.empty() ? average->restart() : average->set(std::move(averages));
  return resumed;
}

}  // namespace dformer
