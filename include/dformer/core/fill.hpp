#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include <dformer/core/shape.hpp>

namespace dformer {

/// FNV-1a, 64 bit: the key under which a named tensor draws its numbers.
constexpr std::uint64_t fnv1a64(std::string_view text, std::uint64_t state = 0xcbf29ce484222325u) {
  for (char c : text) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001b3u;
  }
  return state;
}

/// A stream of numbers that depends on a name only, so that two programs can fill the same tensor without
/// exchanging it. Element i is the splitmix64 finaliser of key + (i + 1) * golden ratio; the upper 24 bits
/// make an exact float.
class NamedStream {
 public:
  /// The key is FNV-1a-64 over salt followed by name.
  constexpr explicit NamedStream(std::string_view name, std::string_view salt = {})
      : key_(fnv1a64(name, fnv1a64(salt))) {}

  constexpr std::uint64_t bits(std::uint64_t index) const {
    std::uint64_t z = key_ + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1), exact in float32.
  constexpr float uniform(std::uint64_t index) const {
    return static_cast<float>(bits(index) >> 40) * 0x1p-24f;
  }
  /// Uniform in [-1, 1), exact in float32.
  constexpr float symmetric(std::uint64_t index) const { return 2.0f * uniform(index) - 1.0f; }

 private:
  std::uint64_t key_;
};

/// Fills a parameter or buffer by its checkpoint name so that activations keep their size through any of the
/// networks: the rule by which parity fixtures are made (docs/parity.md). Buffers that a layer computes
/// itself
/// (`Geo.angle`, `Geo.decay`) are not filled by it.
inline void fill_by_name(std::string_view name, const Shape& shape, std::span<float> values,
                         std::string_view salt = {}) {
  float offset = 0.0f;
  float amplitude = 0.1f;
  if (name.ends_with("running_var")) {
    offset = 1.0f;
    amplitude = 0.5f;
  } else if (name.ends_with("running_mean")) {
    amplitude = 0.1f;
  } else if (name.find("layer_scale") != name.npos || name.find("gamma_") != name.npos) {
    offset = 0.5f;
    amplitude = 0.25f;
  } else if (name.find(".Geo.weight") != name.npos) {
    offset = 1.0f;
    amplitude = 0.5f;
  } else if (shape.rank() >= 2) {
    const double fan_in = static_cast<double>(shape.numel() / shape[0]);
    amplitude = static_cast<float>(std::sqrt(3.0 / fan_in));
  } else if (shape.rank() == 1 && name.ends_with("weight")) {
    offset = 1.0f;
  }
  const NamedStream stream(name, salt);
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Rounded after the product, also where the compiler would fuse it with the sum.
    const double product = static_cast<double>(amplitude) * static_cast<double>(stream.symmetric(i));
    values[i] = offset + static_cast<float>(product);
  }
}

}  // namespace dformer
