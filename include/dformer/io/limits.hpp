#pragma once

#include <cstddef>
#include <cstdint>

/// What no honest checkpoint exceeds. Readers refuse more, so that a small file cannot ask for much memory or
/// time.
namespace dformer::io {

/// Bytes of a name: of a tensor, of a storage, of what a pickle wants called. Some are looked at many times.
inline constexpr std::size_t longest_name = 512;

/// Bytes of a pickle that its archive holds deflated, to a thousandth of them. Each may become a value of a
/// hundred bytes.
inline constexpr std::uint64_t longest_deflated_pickle = std::uint64_t{4} << 20;

/// Elements that a tensor may have beyond those of its storage. Strides of 0 repeat elements, so a file of a
/// few bytes could ask for any amount of memory.
inline constexpr std::int64_t most_repeated = std::int64_t{1} << 28;

/// How often the tensors of a file may show its bytes, all of them together, beyond 2^30 bytes. Names that
/// share a storage are usual, and a few.
inline constexpr std::uint64_t most_views = 8;

/// Bytes of a safetensors header, by the format's own definition.
inline constexpr std::uint64_t longest_safetensors_header = 100'000'000;

}  // namespace dformer::io
