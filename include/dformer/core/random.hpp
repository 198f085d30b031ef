#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace dformer {

/// One block of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four
/// words that depend on the counter and the key only, so any part of a random sequence can be had alone.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xd2511f53u} * counter[0];
    const std::uint64_t b = std::uint64_t{0xcd9e8d57u} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return counter;
}

/// Uniform in [0, 1), exact in float32, of the upper 24 bits.
constexpr float uniform_float(std::uint32_t bits) {
  return static_cast<float>(bits >> 8) * 0x1p-24f;
}

/// The numbers of one stream under one seed, drawn one after the other. Streams of different numbers are
/// independent of each other; what one draws does not move another.
class RandomStream {
 public:
  constexpr RandomStream(std::uint64_t seed, std::uint64_t stream)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        stream_{static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)} {}

  constexpr std::uint32_t bits() {
    const auto word = static_cast<std::size_t>(position_ & 3);
    if (word == 0) {
      const std::uint64_t block = position_ >> 2;
      block_ = philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                           stream_[0], stream_[1]},
                          key_);
    }
    ++position_;
    return block_[word];
  }
  /// Uniform in [0, 1).
  constexpr float uniform() { return uniform_float(bits()); }
  /// Uniform in [low, high).
  constexpr float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 … count - 1; count at least 1.
  constexpr int below(int count) {
    return static_cast<int>((std::uint64_t{bits()} * static_cast<std::uint64_t>(count)) >> 32);
  }
  /// Uniform in low … high, both included.
  constexpr int between(int low, int high) { return low + below(high - low + 1); }
  constexpr bool chance(float probability) { return uniform() < probability; }
  /// Of the normal distribution with mean 0 and standard deviation 1 (Box and Muller).
  float normal() {
    const float radius = std::sqrt(-2.0f * std::log(1.0f - uniform()));
    return radius * std::cos(6.28318531f * uniform());
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 2> stream_;
  std::array<std::uint32_t, 4> block_{};
  std::uint64_t position_ = 0;
};

}  // namespace dformer
