#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <dformer/core/color_order.hpp>
#include <dformer/core/error.hpp>

/// What the networks' inputs are made of 8-bit pixels by, for buffers of any origin; normalize.hpp does it
/// for cv::Mat.
namespace dformer {

/// The official constants of `(value / 255 - mean) / deviation`. Those of colour are ImageNet's for R, G, B,
/// and are applied to the first, second and third channel in whichever order the network reads them.
inline constexpr std::array<double, 3> color_mean{0.485, 0.456, 0.406};
inline constexpr std::array<double, 3> color_deviation{0.229, 0.224, 0.225};
inline constexpr double depth_mean = 0.48;
inline constexpr double depth_deviation = 0.28;

/// AsymFormer's of depth in metres, which are NYUDepthv2's.
inline constexpr double metres_mean = 2.8424503515351494;
inline constexpr double metres_deviation = 0.9932836506164299;

/// The normalised value of each of the 256 bytes: computed in double and rounded once, so results depend
/// neither on the processor nor on compiler options.
using NormalizationTable = std::array<float, 256>;

constexpr NormalizationTable normalization_table(double mean, double deviation) {
  NormalizationTable table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    table[value] = static_cast<float>((static_cast<double>(value) / 255.0 - mean) / deviation);
  }
  return table;
}

inline constexpr std::array<NormalizationTable, 3> color_tables{
    normalization_table(color_mean[0], color_deviation[0]),
    normalization_table(color_mean[1], color_deviation[1]),
    normalization_table(color_mean[2], color_deviation[2])};
inline constexpr NormalizationTable depth_table = normalization_table(depth_mean, depth_deviation);

namespace detail {

inline void require_room(std::span<const float> out, std::size_t needed, const std::string& function) {
  if (out.size() == needed) return;
  throw_argument_error("[" + function + "] the buffer must hold " + std::to_string(needed) +
                       " floats (H * W * channels of the image), got room for " + std::to_string(out.size()));
}

}  // namespace detail

/// Normalises pixels of B, G, R, a byte each, into the channel order of a network.
/// Throws: ArgumentError for a buffer of another size, or bytes that are no whole pixels.
inline void normalize_color(std::span<const std::uint8_t> bgr, ColorOrder order, std::span<float> out) {
  if (bgr.size() % 3 != 0)
    throw_argument_error("[normalize_color] three bytes a pixel expected, got " + std::to_string(bgr.size()));
  detail::require_room(out, bgr.size(), "normalize_color");
  const std::size_t first = order == ColorOrder::bgr ? 0 : 2;
  float* to = out.data();
  for (const std::uint8_t* from = bgr.data(); from != bgr.data() + bgr.size(); from += 3, to += 3) {
    to[0] = color_tables[0][from[first]];
    to[1] = color_tables[1][from[1]];
    to[2] = color_tables[2][from[2 - first]];
  }
}

/// Normalises pixels of encoded depth, a byte each. One channel: the official networks receive it three times
/// over and read the first. Throws: ArgumentError for a buffer of another size.
inline void normalize_depth(std::span<const std::uint8_t> grey, std::span<float> out) {
  detail::require_room(out, grey.size(), "normalize_depth");
  float* to = out.data();
  for (const std::uint8_t value : grey) *to++ = depth_table[value];
}

/// Normalises depth in metres for networks that read that (`DepthInput::metres`). What is no depth (zero,
/// negative, infinite or NaN) counts as 0 m, as the official data have it.
/// Throws: ArgumentError for a buffer of another size.
inline void normalize_metres(std::span<const float> metres, std::span<float> out) {
  detail::require_room(out, metres.size(), "normalize_metres");
  float* to = out.data();
  for (const float value : metres) {
    const bool is_depth = value > 0.0f && value <= std::numeric_limits<float>::max();
    *to++ =
        static_cast<float>(((is_depth ? static_cast<double>(value) : 0.0) - metres_mean) / metres_deviation);
  }
}

/// The two inputs of a network on the host, row-major, channels last.
struct NormalizedImage {
  int height = 0;
  int width = 0;
  std::vector<float> color;  ///< [1, H, W, 3]
  std::vector<float> depth;  ///< [1, H, W, 1]
};

}  // namespace dformer
