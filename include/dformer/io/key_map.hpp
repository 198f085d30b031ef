#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dformer {

/// One way in which a file's name for a tensor may differ from the network's.
struct KeyRule {
  enum class Part : std::uint8_t {
    prefix,   ///< at the start of the name
    segment,  ///< between two dots, or a dot and an end
  };

  Part part;
  std::string_view from;
  std::string_view to;
};

/// Every renaming that loading knows. A rule is used only where the name as stored does not occur in the
/// network and the renamed one does, so that a `norm` of a backbone stays a `norm`.
inline constexpr std::array<KeyRule, 8> key_rules{{
    {KeyRule::Part::prefix, "module.", ""},         // data-parallel training
    {KeyRule::Part::prefix, "model.", ""},          // a network wrapped for training
    {KeyRule::Part::prefix, "backbone.", ""},       // a segmenter's file into a bare backbone
    {KeyRule::Part::prefix, "", "backbone."},       // a pre-training file into a segmenter
    {KeyRule::Part::segment, "gamma1", "gamma_1"},  // Jittor's names, from here on
    {KeyRule::Part::segment, "gamma2", "gamma_2"},
    {KeyRule::Part::segment, "norm", "bn"},
    {KeyRule::Part::segment, "cls_seg", "conv_seg"},
}};

/// Entries that official files carry and networks may do without: norms that the official code defined and
/// never used, counters, and tables that the network computes.
inline constexpr std::array<std::string_view, 4> ignorable_prefixes{"backbone.norm0.", "backbone.norm1.",
                                                                    "backbone.norm2.", "backbone.norm3."};
inline constexpr std::array<std::string_view, 3> ignorable_suffixes{"num_batches_tracked", "Geo.angle",
                                                                    "Geo.decay"};

/// Whether a tensor of a file may lack a counterpart in the network without being called unused.
inline bool is_ignorable_key(std::string_view name) {
  const auto starts = [name](std::string_view prefix) { return name.starts_with(prefix); };
  const auto ends = [name](std::string_view suffix) { return name.ends_with(suffix); };
  return std::ranges::any_of(ignorable_prefixes, starts) || std::ranges::any_of(ignorable_suffixes, ends);
}

namespace detail {

inline std::string rename_segments(std::string_view name) {
  std::string renamed;
  for (;;) {
    const std::size_t dot = name.find('.');
    std::string_view segment = name.substr(0, dot);
    for (const KeyRule& rule : key_rules) {
      if (rule.part == KeyRule::Part::segment && segment == rule.from) {
        segment = rule.to;
        break;
      }
    }
    renamed += segment;
    if (dot == name.npos) return renamed;
    renamed += '.';
    name.remove_prefix(dot + 1);
  }
}

}  // namespace detail

/// The names under which a network may know a tensor of a file, likeliest first, the name itself before all.
inline std::vector<std::string> candidate_keys(std::string_view name) {
  std::vector<std::string> candidates{std::string(name)};
  const auto add = [&](std::string candidate) {
    if (std::ranges::find(candidates, candidate) == candidates.end())
      candidates.push_back(std::move(candidate));
  };
  for (std::size_t i = 0; i < candidates.size(); ++i) {  // prefixes may be combined; each rule only shortens
    for (const KeyRule& rule : key_rules) {
      if (rule.part != KeyRule::Part::prefix || rule.from.empty() || !candidates[i].starts_with(rule.from))
        continue;
      add(std::string(rule.to) + candidates[i].substr(rule.from.size()));
    }
  }
  const std::size_t stripped = candidates.size();
  for (std::size_t i = 0; i < stripped; ++i) {
    for (const KeyRule& rule : key_rules) {
      if (rule.part == KeyRule::Part::prefix && rule.from.empty()) add(std::string(rule.to) + candidates[i]);
    }
  }
  const std::size_t prefixed = candidates.size();
  for (std::size_t i = 0; i < prefixed; ++i) add(detail::rename_segments(candidates[i]));
  return candidates;
}

}  // namespace dformer
