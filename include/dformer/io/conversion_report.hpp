#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/core/shape.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/load_report.hpp>

namespace dformer {

/// What a conversion did with every tensor, and with what else the file held.
struct ConversionReport {
  struct Tensor {
    std::string from;
    std::string to;
    Shape shape;
    DType from_dtype = DType::float32;
    DType dtype = DType::float32;
  };
  /// Something that the new file lacks.
  struct Dropped {
    std::string path;  ///< "optimizer"
    std::size_t tensors = 0;
    std::size_t values = 0;
    std::string reason;
  };

  std::string input;
  std::string source;  ///< the container and the place in it
  std::string output;
  io::FileFormat format = io::FileFormat::torch_zip;
  std::string place;            ///< where the weights were put: "model", "top level"
  std::vector<Tensor> tensors;  ///< in the order of the input
  std::vector<Dropped> dropped;
  std::uint64_t overflowed = 0;       ///< finite values that the new element type has as infinite
  std::optional<LoadReport> fitting;  ///< how the tensors fit the network that was given
};

/// Tensors whose names differ in the same way.
struct RenamedGroup {
  std::string from;  ///< the part of the name that differs
  std::string to;
  std::size_t tensors = 0;
  std::string first;  ///< one of them, as the input has it
};

namespace detail {

/// Where two names differ, in whole segments: "norm" and "bn" of decode_head.squeeze.norm.weight and
/// decode_head.squeeze.bn.weight.
inline RenamedGroup difference_of(std::string_view from, std::string_view to) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < std::min(from.size(), to.size()) && from[i] == to[i]; ++i) {
    if (from[i] == '.') begin = i + 1;
  }
  const std::size_t shorter = std::min(from.size(), to.size()) - begin;
  std::size_t end = 0;
  std::size_t same = 0;
  for (; same < shorter && from[from.size() - 1 - same] == to[to.size() - 1 - same]; ++same) {
    if (from[from.size() - 1 - same] == '.') end = same + 1;
  }
  const std::string_view longer = from.size() > to.size() ? from : to;
  if (same == shorter && longer.substr(0, longer.size() - same).ends_with('.')) end = same;  // a prefix
  return {std::string(from.substr(begin, from.size() - end - begin)),
          std::string(to.substr(begin, to.size() - end - begin)),
          1,
          {}};
}

}  // namespace detail

/// What was renamed, in the order of first appearance.
inline std::vector<RenamedGroup> renamed_groups(const ConversionReport& report) {
  std::vector<RenamedGroup> groups;
  for (const ConversionReport::Tensor& tensor : report.tensors) {
    if (tensor.from == tensor.to) continue;
    RenamedGroup group = detail::difference_of(tensor.from, tensor.to);
    const auto same = [&](const RenamedGroup& other) {
      return other.from == group.from && other.to == group.to;
    };
    const auto found = std::ranges::find_if(groups, same);
    if (found != groups.end()) {
      ++found->tensors;
    } else {
      group.first = tensor.from;
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace dformer
