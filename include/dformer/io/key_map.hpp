#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
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
  bool jittor = false;  ///< `from` is Jittor's name, `to` the official one
  /// The part of a network in which it holds, where not in all; loading by a rule that is Jittor's does not
  /// ask.
  std::string_view below = {};
};

/// Every renaming that is known. Loading uses a rule only where the name as stored does not occur in the
/// network and the renamed one does, so that a `norm` of a backbone stays a `norm`. Converting a file knows
/// no network: it uses the rules that are Jittor's, and `below` keeps them apart.
inline constexpr std::array<KeyRule, 19> key_rules{{
    {KeyRule::Part::prefix, "module.", ""},    // data-parallel training
    {KeyRule::Part::prefix, "model.", ""},     // a network wrapped for training
    {KeyRule::Part::prefix, "backbone.", ""},  // a segmenter's file into a bare backbone
    {KeyRule::Part::prefix, "", "backbone."},  // a pre-training file into a segmenter
    {KeyRule::Part::segment, "gamma1", "gamma_1", true},
    {KeyRule::Part::segment, "gamma2", "gamma_2", true},
    {KeyRule::Part::segment, "norm", "bn", true, "decode_head"},
    {KeyRule::Part::segment, "norm", "bn", true, "aux_head"},
    {KeyRule::Part::segment, "cls_seg", "conv_seg", true},
    {KeyRule::Part::segment, "conv1", "conv_bn.0", false, "SCC"},  // AsymFormer as it was first published
    {KeyRule::Part::segment, "bn", "conv_bn.1", false, "SCC"},
    {KeyRule::Part::prefix, "downsample_layers.0.", "down_sample_1.rgb_stem."},  // ConvNeXt into AsymFormer
    {KeyRule::Part::prefix, "downsample_layers.1.", "down_sample_2.rgb_stem."},
    {KeyRule::Part::prefix, "downsample_layers.2.", "down_sample_3.rgb_stem."},
    {KeyRule::Part::prefix, "downsample_layers.3.", "down_sample_4.rgb_stem."},
    {KeyRule::Part::prefix, "stages.0.", "down_sample_1.rgb_layer."},
    {KeyRule::Part::prefix, "stages.1.", "down_sample_2.rgb_layer."},
    {KeyRule::Part::prefix, "stages.2.", "down_sample_3.rgb_layer."},
    {KeyRule::Part::prefix, "stages.3.", "down_sample_4.rgb_layer."},
}};

/// Entries that official files carry and networks may do without: norms that the official code defined and
/// never used, counters, and tables that the network computes.
inline constexpr std::array<std::string_view, 4> ignorable_prefixes{"backbone.norm0.", "backbone.norm1.",
                                                                    "backbone.norm2.", "backbone.norm3."};
inline constexpr std::array<std::string_view, 9> ignorable_suffixes{
    "num_batches_tracked", "Geo.angle", "Geo.decay",
    // AsymFormer: sizes that it once kept as buffers, and what profilers and other engines left behind.
    "cross_atten.midc1", "cross_atten.midc2", "fus_atten.inc", "total_ops", "total_params", "_extra_state"};

/// The layers that classify, of whose outputs there are as many as classes.
inline constexpr std::array<std::string_view, 3> classifiers{
    "decode_head.conv_seg", "decode_head.linear_pred", "Decoder.linear_pred"};

/// Whether a tensor of a file may lack a counterpart in the network without being called unused.
inline bool is_ignorable_key(std::string_view name) {
  const auto starts = [name](std::string_view prefix) { return name.starts_with(prefix); };
  const auto ends = [name](std::string_view suffix) { return name.ends_with(suffix); };
  return std::ranges::any_of(ignorable_prefixes, starts) || std::ranges::any_of(ignorable_suffixes, ends);
}

namespace detail {

/// The name with what `rename` makes of each of its segments; it is also told what comes before that.
template <class Rename>
std::string rename_segments(std::string_view name, const Rename& rename) {
  std::string renamed;
  for (std::size_t begin = 0;;) {
    const std::size_t dot = name.find('.', begin);
    renamed += rename(name.substr(begin, dot - begin), name.substr(0, begin));
    if (dot == name.npos) return renamed;
    renamed += '.';
    begin = dot + 1;
  }
}

/// Whether `segment` stands between dots in `path`, which ends with one.
inline bool has_segment(std::string_view path, std::string_view segment) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t dot = path.find('.', begin);
    if (path.substr(begin, dot - begin) == segment) return true;
    begin = dot + 1;
  }
  return false;
}

/// One side of Jittor's rules for the other.
inline std::string rename_jittor(std::string_view name, std::string_view KeyRule::*from,
                                 std::string_view KeyRule::*to) {
  return rename_segments(name, [=](std::string_view segment, std::string_view before) {
    for (const KeyRule& rule : key_rules) {
      if (!rule.jittor || segment != rule.*from) continue;
      if (rule.below.empty() || has_segment(before, rule.below)) return rule.*to;
    }
    return segment;
  });
}

}  // namespace detail

/// The official name of a tensor that Jittor's port of DFormer names so; any other name is returned as it is.
inline std::string from_jittor_key(std::string_view name) {
  return detail::rename_jittor(name, &KeyRule::from, &KeyRule::to);
}

/// Jittor's name of an official one.
inline std::string to_jittor_key(std::string_view name) {
  return detail::rename_jittor(name, &KeyRule::to, &KeyRule::from);
}

/// The names under which a network may know a tensor of a file, likeliest first, the name itself before all.
inline std::vector<std::string> candidate_keys(std::string_view name) {
  std::vector<std::string> candidates{std::string(name)};
  const auto add = [&](std::string candidate) {
    if (std::ranges::find(candidates, candidate) == candidates.end())
      candidates.push_back(std::move(candidate));
  };
  for (std::size_t i = 0; i < candidates.size(); ++i) {  // prefixes may be combined; no rule makes its own
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
  const auto rename_anywhere = [](std::string_view segment, std::string_view before) {
    for (const KeyRule& rule : key_rules) {
      if (rule.part != KeyRule::Part::segment || segment != rule.from) continue;
      if (rule.jittor || detail::has_segment(before, rule.below)) return rule.to;
    }
    return segment;
  };
  for (std::size_t i = 0; i < prefixed; ++i) add(detail::rename_segments(candidates[i], rename_anywhere));
  return candidates;
}

}  // namespace dformer
