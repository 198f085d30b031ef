#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cuda/kernels/attention.hpp>

namespace dformer::cuda {

/// Into how many parts the keys of a sequence are cut, so that few queries occupy a whole GPU. The shapes
/// alone decide, so that results are the same on every GPU.
struct KeyParts {
  std::int64_t count;
  std::int64_t keys;  ///< of each part but the last

  template <class T>
  static KeyParts of(const AttentionProblem<T>& problem) {
    const std::int64_t length = problem.keys.length;
    const std::int64_t blocks = problem.all_sequences * ((problem.queries.length + 63) / 64);
    const std::int64_t wanted =
        std::clamp<std::int64_t>(blocks_wanted / blocks, 1, (length + least_keys - 1) / least_keys);
    // Whole tiles of keys.
    const std::int64_t keys = ((length + wanted - 1) / wanted + tile - 1) / tile * tile;
    return {(length + keys - 1) / keys, keys};
  }

 private:
  static constexpr std::int64_t blocks_wanted = 512;  // about four for each multiprocessor of a large GPU
  static constexpr std::int64_t least_keys = 64;  // else putting the parts together costs as much as they do
  static constexpr std::int64_t tile = 32;        // keys that kernels take up at a time
};

}  // namespace dformer::cuda
