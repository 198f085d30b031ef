#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <dformer/core/number_text.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// A number of a file that counts something, as an integer. Throws: CheckpointError(corrupt_container) for
/// what is no whole number from `least` to 2^53.
inline std::int64_t require_count(double value, std::string_view name, std::string_view path,
                                  std::int64_t least = 0) {
  if (value >= static_cast<double>(least) && value <= 0x1p53 && value == std::floor(value))
    return static_cast<std::int64_t>(value);
  throw_checkpoint_error(CheckpointError::Kind::corrupt_container, path, CheckpointError::no_offset,
                         std::string(name) + " is " + number_text(value) + "; a whole number from " +
                             std::to_string(least) + " to 2^53 expected");
}

/// The same of a tensor with one element.
inline std::int64_t read_count(const TensorRecord& tensor, std::string_view path, std::int64_t least = 0) {
  if (tensor.numel() != 1) {
    throw_checkpoint_error(
        CheckpointError::Kind::corrupt_container, path, CheckpointError::no_offset,
        tensor.name + " has shape " + to_string(tensor.shape) + "; one whole number expected");
  }
  double value = 0;
  dformer::detail::for_each_element(tensor, [&](auto element) { value = static_cast<double>(element); });
  return require_count(value, tensor.name, path, least);
}

}  // namespace dformer::io
