#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dformer/core/number_text.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// A number that counts something, as an integer; none for what is no whole number from `least` to 2^53.
inline std::optional<std::int64_t> as_count(double value, std::int64_t least = 0) {
  const bool counts = value >= static_cast<double>(least) && value <= 0x1p53 && value == std::floor(value);
  return counts ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;
}

/// The value of a tensor of one element.
inline double single_value(const TensorRecord& tensor) {
  double value = 0;
  dformer::detail::for_each_element(tensor, [&](auto element) { value = static_cast<double>(element); });
  return value;
}

/// The same of a number that a file must have. Throws: CheckpointError(corrupt_container).
inline std::int64_t require_count(double value, std::string_view name, std::string_view path,
                                  std::int64_t least = 0) {
  if (const auto count = as_count(value, least)) return *count;
  throw_checkpoint_error(CheckpointError::Kind::corrupt_container, path, CheckpointError::no_offset,
                         std::string(name) + " is " + number_text(value) + "; a whole number from " +
                             std::to_string(least) + " to 2^53 expected");
}

/// The same of a tensor.
inline std::int64_t require_count(const TensorRecord& tensor, std::string_view path, std::int64_t least = 0) {
  if (tensor.numel() == 1) return require_count(single_value(tensor), tensor.name, path, least);
  throw_checkpoint_error(
      CheckpointError::Kind::corrupt_container, path, CheckpointError::no_offset,
      tensor.name + " has shape " + to_string(tensor.shape) + "; one whole number expected");
}

}  // namespace dformer::io
