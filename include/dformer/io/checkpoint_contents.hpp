#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <dformer/io/tensor_record.hpp>

namespace dformer {

/// A single value beside the weights: an epoch, a score, a learning rate, a word.
using MetadataValue = std::variant<bool, std::int64_t, double, std::string>;
using Metadata = std::map<std::string, MetadataValue, std::less<>>;

namespace io {

/// What a reader of one container format hands to Checkpoint.
struct CheckpointContents {
  std::vector<TensorRecord> tensors;  ///< the weights
  std::vector<TensorRecord> others;   ///< every other tensor, named by its path: "optimizer.state.0.exp_avg"
  Metadata metadata;     ///< every single value, named by its path: "epoch", "optimizer.param_groups.0.lr"
  std::string selected;  ///< where the weights were found: "model", "state_dict", "top level"
};

}  // namespace io

}  // namespace dformer
