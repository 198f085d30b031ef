#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dformer/io/checkpoint_fit.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/io/rename_keys.hpp>

/// Checkpoints whose names are a network's but for their first words.
namespace dformer::detail {

/// Other first words that give tensors the names and shapes of a network's. One is taken where it suits more
/// than half of the tensors that have that word.
inline std::vector<PrefixRename> fitting_renames(std::span<const TensorRecord> tensors,
                                                 std::span<const LoadTarget> targets) {
  std::unordered_map<std::string_view, const Shape*> shapes;
  for (const LoadTarget& target : targets) shapes.emplace(target.name, &target.shape);
  constexpr std::array<std::string_view, 4> words{"backbone.", "decode_head.", "Decoder.", ""};
  struct Count {
    std::size_t tensors = 0;
    std::array<std::size_t, words.size()> fitting{};
  };
  std::map<std::string_view, Count> counts;
  for (const TensorRecord& tensor : tensors) {
    const std::string_view name = tensor.name;
    const std::size_t dot = name.find('.');
    if (dot == name.npos) continue;
    Count& count = counts[name.substr(0, dot + 1)];
    ++count.tensors;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string renamed = std::string(words[i]).append(name.substr(dot + 1));
      const auto found = shapes.find(renamed);
      count.fitting[i] += found != shapes.end() && same_numbers(*found->second, tensor.shape) ? 1 : 0;
    }
  }
  std::vector<PrefixRename> renames;
  for (const auto& [word, count] : counts) {
    const auto best = std::ranges::max_element(count.fitting);
    const std::string_view to = words[static_cast<std::size_t>(best - count.fitting.begin())];
    if (2 * *best > count.tensors && to != word) renames.push_back({std::string(word), std::string(to)});
  }
  return renames;
}

/// "; …" where names are those of a network but for their first words: the network, and the command that
/// mends the file. Empty where that explains nothing.
inline std::string renamed_network_text(const Checkpoint& checkpoint,
                                        std::span<const CandidateNetwork> candidates) {
  std::optional<CheckpointFit> best;
  std::vector<PrefixRename> best_renames;
  for (const CandidateNetwork& candidate : candidates) {
    std::vector<PrefixRename> renames = fitting_renames(checkpoint.tensors(), candidate.targets);
    if (renames.empty()) continue;
    std::vector<TensorRecord> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
    for (TensorRecord& tensor : tensors) {
      const std::size_t i = find_rename(tensor.name, renames);
      if (i < renames.size()) tensor.name.replace(0, renames[i].from.size(), renames[i].to);
    }
    CheckpointFit fit{candidate.name, candidate.like,
                      plan_load(tensors, checkpoint.path(), {}, candidate.targets, {.strict = false}).report};
    if (2 * fit.report.applied.size() < fit.tensors()) continue;
    if (best && best->differences() <= fit.differences()) continue;
    best = std::move(fit);
    best_renames = std::move(renames);
  }
  if (!best) return {};
  std::string command = "dformer_convert IN OUT";
  for (const PrefixRename& rename : best_renames)
    command.append(" --rename ").append(rename.from).append("=").append(rename.to);
  return "; but for first words they are " + best->name() + "'s, " +
         std::to_string(best->report.applied.size()) + " of " + std::to_string(best->tensors()) +
         " with their shapes: mend the file with " + command;
}

}  // namespace dformer::detail
