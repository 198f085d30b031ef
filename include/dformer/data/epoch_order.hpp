#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <dformer/core/random.hpp>

namespace dformer {

/// What random numbers of the data are for, so that none repeats another's.
enum class DataRandom : std::uint64_t { order, extra_items, augmentation };

/// The random numbers of one event, such as the augmentation of the image at one position of one epoch:
/// decided by the seed and by what the event is, whatever was drawn before.
constexpr RandomStream data_random(std::uint64_t seed, DataRandom purpose, std::uint32_t epoch,
                                   std::size_t position = 0) {
  // 2 bits of purpose, 24 of the epoch, 38 of the position.
  return {seed, static_cast<std::uint64_t>(purpose) << 62 | std::uint64_t{epoch} << 38 | position};
}

/// Puts the first `count` of the values in random order, drawn from all of them.
inline void shuffle(std::vector<std::size_t>& values, std::size_t count, RandomStream random) {
  for (std::size_t i = 0; i < count && i + 1 < values.size(); ++i) {
    const auto rest = static_cast<int>(values.size() - i);
    std::swap(values[i], values[i + static_cast<std::size_t>(random.below(rest))]);
  }
}

/// Which item stands at each of the `length` positions of an epoch. As in the official loader every item
/// comes length / size times, and the remaining positions go to items drawn without repetition. Decided by
/// the seed and the epoch alone.
inline std::vector<std::size_t> epoch_order(std::size_t size, std::size_t length, std::uint64_t seed,
                                            std::uint32_t epoch) {
  std::vector<std::size_t> order(length);
  for (std::size_t i = 0; i < length / size * size; ++i) order[i] = i % size;
  if (const std::size_t rest = length % size; rest > 0) {
    std::vector<std::size_t> drawn(size);
    std::iota(drawn.begin(), drawn.end(), std::size_t{0});
    shuffle(drawn, rest, data_random(seed, DataRandom::extra_items, epoch));
    for (std::size_t i = 0; i < rest; ++i) order[length - rest + i] = drawn[i];
  }
  shuffle(order, length, data_random(seed, DataRandom::order, epoch));
  return order;
}

}  // namespace dformer
