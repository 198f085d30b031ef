#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/tensor_name.hpp>

namespace dformer::io {

namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_contents(std::string_view path,
                                                                   const std::string& what) {
  throw_checkpoint_error(CheckpointError::Kind::corrupt_container, path, CheckpointError::no_offset, what);
}

/// Tensors that do not show the same bytes over and over, each within its limits.
inline void check_views(const CheckpointContents& contents, std::string_view path) {
  std::vector<std::span<const std::byte>> storages;
  std::uint64_t shown = 0;
  for (const auto* tensors : {&contents.tensors, &contents.others}) {
    for (const TensorRecord& tensor : *tensors) {
      shown += static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype);
      storages.push_back(tensor.storage);
    }
  }
  // Old files show parts of storages, which may overlap: each byte counts once.
  std::ranges::sort(storages, std::less{}, [](std::span<const std::byte> each) { return each.data(); });
  std::uint64_t stored = 0;
  const std::byte* end = nullptr;
  for (const std::span<const std::byte> each : storages) {
    const std::byte* const each_end = each.data() + each.size();
    if (end == nullptr || std::less{}(end, each.data())) end = each.data();
    if (!std::less{}(end, each_end)) continue;
    stored += static_cast<std::uint64_t>(each_end - end);
    end = each_end;
  }
  constexpr std::uint64_t always = std::uint64_t{1} << 30;
  if (shown <= always || (shown - always) / most_views <= stored) return;
  refuse_contents(path, "its tensors have " + std::to_string(shown) + " bytes, and the file has only " +
                            std::to_string(stored) + " for them, which they show over and over");
}

}  // namespace detail

/// What holds for the contents of every container: names that may be, and no bytes shown over and over.
/// Throws: CheckpointError(corrupt_container).
inline void check_contents(const CheckpointContents& contents, std::string_view path) {
  for (const TensorRecord& tensor : contents.tensors) {
    if (const std::string fault = fault_of_name(tensor.name); !fault.empty())
      detail::refuse_contents(path, fault);
  }
  detail::check_views(contents, path);
}

}  // namespace dformer::io
