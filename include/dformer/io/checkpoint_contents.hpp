#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <dformer/io/tensor_record.hpp>
#include <dformer/io/torch_value.hpp>

namespace dformer {

/// A single value beside the weights: an epoch, a score, a learning rate, a word.
using MetadataValue = std::variant<bool, std::int64_t, double, std::string>;
using Metadata = std::map<std::string, MetadataValue, std::less<>>;

namespace io {

enum class FileFormat : std::uint8_t { torch_zip, torch_legacy, safetensors, jittor_pickle, npz };

constexpr std::string_view to_string(FileFormat format) {
  switch (format) {
    case FileFormat::torch_zip:
      return "torch zip archive";
    case FileFormat::torch_legacy:
      return "torch stream before 1.6";
    case FileFormat::safetensors:
      return "safetensors";
    case FileFormat::jittor_pickle:
      return "Jittor pickle";
    case FileFormat::npz:
      return "NumPy archive";
  }
  return "?";
}

/// Where the weights of a tree are looked for, in this order, also nested, and last at the top level: as the
/// official programs do.
inline constexpr std::array<std::string_view, 3> weight_keys{"state_dict_ema", "model", "state_dict"};
inline constexpr int weight_depth = 4;  ///< of dicts in each other, the top level among them

/// Whether weights are looked for at a place of a tree: "", "model", "state_dict.model".
inline bool is_searched_place(std::string_view place) {
  for (int depth = 1; !place.empty(); ++depth) {
    const std::size_t dot = place.find('.');
    if (depth == weight_depth || std::ranges::count(weight_keys, place.substr(0, dot)) == 0) return false;
    place = dot == place.npos ? std::string_view() : place.substr(dot + 1);
  }
  return true;
}

/// CheckpointContents::selected where the weights stand in no dict.
inline constexpr std::string_view top_level = "top level";

/// What a reader of one container format hands to Checkpoint.
struct CheckpointContents {
  std::vector<TensorRecord> tensors;  ///< the weights
  std::vector<TensorRecord> others;   ///< every other tensor, named by its path: "optimizer.state.0.exp_avg"
  Metadata metadata;  ///< every single value, named by its path: "epoch", "optimizer.param_groups.0.lr"
  TorchDict tree;     ///< of a pickle: all of it but the weights, as it could be written again
  std::vector<std::string> left_out;  ///< paths in `tree` of what could not, where None stands instead
  FileFormat format = FileFormat::torch_zip;
  std::string selected;  ///< where the weights were found: "model", "state_dict", "top level"
};

}  // namespace io

}  // namespace dformer
