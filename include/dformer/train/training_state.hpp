#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dformer/io/key_map.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/save_torch.hpp>
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

/// The tensors of a training state beside the weights, by path.
class StateTensors {
 public:
  explicit StateTensors(const Checkpoint& checkpoint) : path_(checkpoint.path()) {
    for (const TensorRecord& record : checkpoint.other_tensors()) records_.emplace(record.name, &record);
  }

  const TensorRecord* find(const std::string& name) const {
    const auto found = records_.find(name);
    return found == records_.end() ? nullptr : found->second;
  }

  bool has_moments() const { return has_any("optimizer.state."); }
  bool has_any(std::string_view prefix) const {
    const auto first = records_.lower_bound(prefix);
    return first != records_.end() && first->first.starts_with(prefix);
  }
  /// Throws: CheckpointError unless that is a state of an optimiser of this rule and of so many parameters.
  void require_slots(const OptimizerRule& rule, std::size_t count) const {
    const auto has = [&](std::size_t number) {
      return find("optimizer.state." + std::to_string(number) + "." + first_moment(rule)) != nullptr;
    };
    if (has(count - 1) && !has(count)) return;
    throw CheckpointError(CheckpointError::Kind::key_mismatch, path_, CheckpointError::no_offset,
                          "its optimizer has not the " + first_moment(rule) + " of " + std::to_string(count) +
                              " parameters; this is the training state of another network, optimizer or "
                              "choice of parameters. Its weights alone can be loaded");
  }

  /// In float32, in PyTorch's order. Throws: CheckpointError where the tensor is missing or has another shape
  /// than the parameter.
  std::vector<float> values(const std::string& name, const Shape& shape) const {
    const TensorRecord* record = find(name);
    if (record == nullptr || !(record->shape == shape)) {
      throw CheckpointError(
          CheckpointError::Kind::key_mismatch, path_, CheckpointError::no_offset,
          name + " of shape " + to_string(shape) + " expected, " +
              (record == nullptr ? std::string("but there is none") : "got " + to_string(record->shape)) +
              "; this is the training state of another network, optimizer or choice of parameters");
    }
    return record->to_float32();
  }

 private:
  std::string path_;
  std::map<std::string, const TensorRecord*, std::less<>> records_;
};

/// What a file lacks to go on from; empty where nothing.
inline std::string lacks_for_training(const Checkpoint& checkpoint, const StateTensors& tensors) {
  if (!tensors.has_moments()) {
    const auto value = checkpoint.metadata().lower_bound("optimizer.");
    const bool optimizer = tensors.has_any("optimizer.") ||
                           (value != checkpoint.metadata().end() && value->first.starts_with("optimizer."));
    return optimizer ? "its optimizer has no moments in torch.optim's form (Jittor's files have none)"
                     : "it has no state of an optimizer";
  }
  return checkpoint.integer("epoch").value_or(-1) >= 0 ? std::string() : "it has no epoch";
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
  const detail::StateTensors tensors(checkpoint);
  ResumedTraining resumed{.progress = start};

  std::vector<std::pair<std::int64_t, std::vector<typename Inner::Tensor>>> slots;
  std::vector<typename Inner::Tensor> averages;
  resumed.lacks = detail::lacks_for_training(checkpoint, tensors);
  resumed.complete = resumed.lacks.empty();
  if (resumed.complete) {
    tensors.require_slots(optimizer.rule(), optimizer.slots().size());
    const std::int64_t epoch = *checkpoint.integer("epoch");
    resumed.progress.epoch = epoch;
    resumed.progress.iteration = epoch * steps_per_epoch;
    // The official `iteration` counts within an epoch that is complete; ours counts from the first on.
    if (const auto seed = checkpoint.text("dformer.seed")) {
      std::from_chars(seed->data(), seed->data() + seed->size(), resumed.progress.seed);
      const std::int64_t iteration = checkpoint.integer("iteration").value_or(0);
      resumed.same_epochs = iteration / steps_per_epoch == epoch;
      if (resumed.same_epochs) resumed.progress.iteration = iteration;
    }
    if (const auto scale = checkpoint.number("dformer.loss_scale")) {
      resumed.progress.loss_scale = {*scale, checkpoint.integer("dformer.good_updates").value_or(0)};
    }
    for (std::size_t i = 0; i < optimizer.slots().size(); ++i) {
      const auto& parameter = *optimizer.slots()[i].parameter.parameter;
      const std::string prefix = "optimizer.state." + std::to_string(i) + ".";
      auto& slot = slots.emplace_back();
      slot.first = std::max<std::int64_t>(resumed.progress.iteration, 1);
      if (const TensorRecord* step = tensors.find(prefix + "step")) {
        slot.first = static_cast<std::int64_t>(step->to_float32().at(0));
      } else if (const auto count = checkpoint.integer(prefix + "step")) {  // as torch wrote it before 1.12
        slot.first = *count;
      }
      std::visit(
          [&](const auto& rule) {
            for (std::string_view name : rule.slot_names) {
              slot.second.push_back(Gradients<Inner>::moment_from_host(
                  device, parameter.layout(), parameter.shape(),
                  tensors.values(prefix + std::string(name), parameter.shape())));
            }
          },
          optimizer.rule());
    }
    const auto name_of_average = [&](const auto& entry) {
      const std::string name = "state_dict_ema." + entry.parameter.name;
      return tensors.find(name) != nullptr ? name : to_jittor_key(name);
    };
    if (average != nullptr && tensors.find(name_of_average(average->entries().front()))) {
      for (const auto& entry : average->entries()) {
        const auto& parameter = *entry.parameter.parameter;
        averages.push_back(
            Inner::weight_from_host(device, parameter.layout(), parameter.shape(),
                                    tensors.values(name_of_average(entry), parameter.shape())));
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
