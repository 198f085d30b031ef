#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dformer::io {

/// Owns what could not be viewed in the mapped file (unpacked or decoded records) for as long as tensors view
/// it.
class KeptBytes {
 public:
  /// What was made of the bytes at `origin` before, or nullptr. Nothing is unpacked twice, however often a
  /// file refers to it.
  const std::vector<std::byte>* find(const void* origin) const {
    const auto found = blocks_.find(origin);
    return found == blocks_.end() ? nullptr : &found->second;
  }
  std::span<const std::byte> keep(const void* origin, std::vector<std::byte> bytes) {
    return blocks_.insert_or_assign(origin, std::move(bytes)).first->second;
  }

 private:
  std::unordered_map<const void*, std::vector<std::byte>> blocks_;  // a block's own memory never moves
};

}  // namespace dformer::io
