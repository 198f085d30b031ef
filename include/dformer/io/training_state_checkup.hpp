#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <dformer/io/checkpoint.hpp>
#include <dformer/io/utf8.hpp>

/// What a file lacks for training to go on from it, as far as the file by itself tells.
namespace dformer::detail {

/// Why training cannot count its epochs on from those of the file; empty where it can.
inline std::string lacking_epoch(const Checkpoint& checkpoint) {
  const auto found = checkpoint.metadata().find("epoch");
  if (found == checkpoint.metadata().end()) return "it has no epoch";
  if (const auto* text = std::get_if<std::string>(&found->second))
    return "its epoch is a text, '" + io::without_control_characters(text->substr(0, 20)) +
           "', where a whole number is expected";
  const auto epoch = checkpoint.integer("epoch");
  if (!epoch) return "its epoch is no whole number";
  return *epoch >= 0 ? std::string() : "its epoch is " + std::to_string(*epoch);
}

/// Whether there is anything of an optimizer: moments, or numbers alone, as in Jittor's files.
inline bool has_optimizer(const Checkpoint& checkpoint) {
  constexpr std::string_view prefix = "optimizer.";
  const auto value = checkpoint.metadata().lower_bound(prefix);
  if (value != checkpoint.metadata().end() && value->first.starts_with(prefix)) return true;
  return std::ranges::any_of(checkpoint.other_tensors(),
                             [&](const TensorRecord& tensor) { return tensor.name.starts_with(prefix); });
}

/// The start of the names of torch.optim's moments: "optimizer.state.0.exp_avg".
inline constexpr std::string_view moment_prefix = "optimizer.state.";

/// Why there is no optimizer to go on with; empty where there is one.
inline std::string lacking_optimizer(const Checkpoint& checkpoint) {
  if (!has_optimizer(checkpoint)) return "it has no state of an optimizer";
  const auto is_moment = [](const TensorRecord& tensor) {
    const std::string_view name = tensor.name;
    return name.starts_with(moment_prefix) &&
           (name.ends_with(".exp_avg") || name.ends_with(".momentum_buffer"));
  };
  if (std::ranges::any_of(checkpoint.other_tensors(), is_moment)) return {};
  return "its optimizer has no moments in torch.optim's form, exp_avg or momentum_buffer (Jittor's files "
         "have none)";
}

/// What the moments of torch.optim lack to go on from, as far as the file by itself tells; empty where
/// nothing. resume_training, which knows the network, asks for the shape of each.
inline std::string lacking_moments(const Checkpoint& checkpoint) {
  std::string lacking = lacking_optimizer(checkpoint);
  if (!lacking.empty()) return lacking;
  std::int64_t last = -1;  // parameter, numbered from 0
  bool adamw = false;
  for (const TensorRecord& tensor : checkpoint.other_tensors()) {
    if (!tensor.name.starts_with(moment_prefix)) continue;
    std::int64_t number = -1;
    std::from_chars(tensor.name.data() + moment_prefix.size(), tensor.name.data() + tensor.name.size(),
                    number);
    last = std::max(last, number);
    adamw = adamw || tensor.name.ends_with(".exp_avg");
  }
  constexpr std::string_view groups = "optimizer.param_groups.";
  for (auto value = checkpoint.metadata().lower_bound(groups);
       value != checkpoint.metadata().end() && value->first.starts_with(groups); ++value) {
    const auto* number = std::get_if<std::int64_t>(&value->second);
    if (number != nullptr && value->first.find(".params.") != std::string::npos)
      last = std::max(last, *number);
  }
  std::set<std::string> shapes;
  for (const TensorRecord& tensor : checkpoint.tensors()) shapes.insert(to_string(tensor.shape));
  const std::vector<std::string> moments =
      adamw ? std::vector<std::string>{"exp_avg", "exp_avg_sq"} : std::vector<std::string>{"momentum_buffer"};
  for (std::int64_t number = 0; number <= last; ++number) {  // ends at the first that is missing
    for (const std::string& moment : moments) {
      const std::string name = std::string(moment_prefix) + std::to_string(number) + "." + moment;
      const TensorRecord* record = checkpoint.find_other(name);
      if (record == nullptr)
        return name + " is missing, and parameters 0 to " + std::to_string(last) + " need one";
      if (!shapes.contains(to_string(record->shape)))
        return name + " has shape " + to_string(record->shape) + ", which none of the weights has";
    }
  }
  return {};
}

}  // namespace dformer::detail
