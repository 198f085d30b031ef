#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <dformer/core/error.hpp>

namespace dformer {

/// The official depth picture (`Greys_r`, 8-bit, 1, 3 or 4 channels), or any 8-bit grey with 0 near and 255
/// far: taken as it is.
struct GreysDepth {
  static constexpr std::string_view name = "greys";
};

/// The upper byte of a 16-bit file: what the official reader makes of one, without saying so. For reproducing
/// results that were obtained that way.
struct HighByteDepth {
  static constexpr std::string_view name = "high_byte";
};

/// 16-bit millimetres: RealSense D4xx, Azure Kinect, ROS 16UC1, the raw NYUv2 exports.
struct MillimetreDepth {
  static constexpr std::string_view name = "mm";
  using Pixel = std::uint16_t;
  static constexpr double steps_per_metre = 1000;
};

/// 16-bit steps of 1/8 mm: SUN RGB-D, RealSense SR300.
struct SunDepth {
  static constexpr std::string_view name = "sun";
  using Pixel = std::uint16_t;
  static constexpr double steps_per_metre = 8000;
};

/// 16-bit steps of 1/5000 m: TUM RGB-D, ICL-NUIM.
struct TumDepth {
  static constexpr std::string_view name = "tum";
  using Pixel = std::uint16_t;
  static constexpr double steps_per_metre = 5000;
};

/// 32-bit float metres: ROS 32FC1, TIFF files, simulators.
struct MetreDepth {
  static constexpr std::string_view name = "metre";
  using Pixel = float;
  static constexpr double steps_per_metre = 1;
};

/// Stereo disparity in any unit (8-bit, 16-bit, signed 16-bit or float); 0 and below mean unmatched. Depth is
/// its inverse; the unknown factor (baseline times focal length) cancels, since depth is stretched per image.
struct DisparityDepth {
  static constexpr std::string_view name = "disparity";
};

/// A depth whose stored steps are lengths. A sensor with another step is one more struct like those above:
/// `encode_depth<MySensorDepth>(image)` takes it.
template <class Encoding>
concept MetricDepth = requires {
  typename Encoding::Pixel;
  requires std::same_as<typename Encoding::Pixel, std::uint16_t> ||
      std::same_as<typename Encoding::Pixel, float>;
  { Encoding::name } -> std::convertible_to<std::string_view>;
  { Encoding::steps_per_metre } -> std::convertible_to<double>;
};

/// How a depth image stores depth, chosen at run time.
using DepthEncoding =
    std::variant<GreysDepth, HighByteDepth, MillimetreDepth, SunDepth, TumDepth, MetreDepth, DisparityDepth>;

/// The names that `parse_depth_encoding` knows, for help texts.
inline constexpr std::string_view depth_encoding_names = "greys, mm, sun, tum, metre, disparity, high_byte";

inline std::string_view to_string(const DepthEncoding& encoding) {
  return std::visit([](auto chosen) -> std::string_view { return chosen.name; }, encoding);
}

/// The encoding of a command-line word: one of `depth_encoding_names`, or `grey8`, another word for `greys`.
/// Throws: ArgumentError.
inline DepthEncoding parse_depth_encoding(std::string_view word) {
  if (word == "greys" || word == "grey8") return GreysDepth{};
  if (word == "high_byte") return HighByteDepth{};
  if (word == "mm") return MillimetreDepth{};
  if (word == "sun") return SunDepth{};
  if (word == "tum") return TumDepth{};
  if (word == "metre") return MetreDepth{};
  if (word == "disparity") return DisparityDepth{};
  throw_argument_error("[depth encoding] \"" + std::string(word) +
                       "\" is not known; pass one of: " + std::string(depth_encoding_names));
}

}  // namespace dformer
