#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <dformer/core/color_order.hpp>
#include <dformer/core/depth_input.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/image_size.hpp>
#include <dformer/core/number_text.hpp>
#include <dformer/eval/metrics.hpp>
#include <dformer/eval/sliding_window.hpp>
#include <dformer/heads/head_norm.hpp>

namespace dformer {

/// Everything besides weights and data that decides a score. Two scores can be compared when their protocols
/// are equal.
struct Protocol {
  std::vector<double> scales{1.0};
  int size_multiple = 1;  ///< scaled sizes are rounded up to a multiple of this
  bool flip = false;      ///< every scale once more, mirrored
  std::optional<SlidingWindow> sliding{};
  std::optional<ImageSize> padded_size{};  ///< images are padded to it, black below and to the right
  AbsentClasses absent = AbsentClasses::official;
  std::optional<std::uint64_t> bases_seed{};     ///< decides the Hamburger's starting bases; none: its own
  ColorOrder color_order = ColorOrder::bgr;      ///< set from the network
  DepthInput depth_input = DepthInput::greys;    ///< set from the network
  float head_norm_eps = dformer::head_norm_eps;  ///< set from the network

  /// The image once, at its own size.
  static Protocol single_scale() { return {}; }
  /// The official multi-scale evaluation with mirrored images: that of the published scores.
  static Protocol multi_scale_flip() {
    return {.scales = {0.5, 0.75, 1.0, 1.25, 1.5}, .size_multiple = 32, .flip = true};
  }
  friend bool operator==(const Protocol&, const Protocol&) = default;
};

/// Throws: ArgumentError for a protocol that cannot be followed.
inline void require_valid(const Protocol& protocol) {
  if (protocol.scales.empty()) throw_argument_error("[protocol] expected one scale or more, got none");
  for (double scale : protocol.scales) {
    if (!(scale > 0 && scale <= 16)) {
      throw_argument_error("[protocol] scales must be positive and at most 16, got " + std::to_string(scale));
    }
  }
  if (protocol.size_multiple < 1) {
    throw_argument_error("[protocol] size_multiple must be 1 or more, got " +
                         std::to_string(protocol.size_multiple));
  }
  if (protocol.sliding) require_valid(*protocol.sliding);
}

/// The size at which an image runs: the official int(scale * extent), then up to a multiple.
inline ImageSize scaled_size(ImageSize image, double scale, int multiple) {
  const auto rounded = [&](int extent) {
    const int scaled = std::max(1, static_cast<int>(scale * extent));
    return (scaled + multiple - 1) / multiple * multiple;
  };
  return {rounded(image.height), rounded(image.width)};
}

/// Whether an image runs as it is, and only so: then the best class can be taken from its logits.
inline bool runs_once(const Protocol& protocol, ImageSize image) {
  return protocol.scales.size() == 1 && !protocol.flip && !protocol.sliding &&
         scaled_size(image, protocol.scales[0], protocol.size_multiple) == image;
}

/// A line of text: "scales 0.5 0.75 1 1.25 1.5, sizes up to multiples of 32; flip; whole images; ..."
inline std::string to_string(const Protocol& protocol) {
  std::string text = protocol.scales.size() == 1 ? "scale" : "scales";
  for (double scale : protocol.scales) (text += ' ') += number_text(scale);
  if (protocol.size_multiple > 1) {
    text += ", sizes up to multiples of " + std::to_string(protocol.size_multiple);
  }
  text += protocol.flip ? "; flip" : "; no flip";
  if (protocol.sliding) {
    const SlidingWindow& window = *protocol.sliding;
    text += "; sliding window " + std::to_string(window.height) + "x" + std::to_string(window.width) +
            ", stride " + std::to_string(window.stride_height) + "x" + std::to_string(window.stride_width);
  } else {
    text += "; whole images";
  }
  if (const auto& size = protocol.padded_size) {
    text += "; padded to " + to_string(*size);
  } else {
    text += "; no padding";
  }
  text += protocol.color_order == ColorOrder::bgr ? "; colours B G R" : "; colours R G B";
  if (protocol.depth_input == DepthInput::metres) text += "; depth in metres";
  text += protocol.absent == AbsentClasses::official ? "; absent classes count as 0 (official)"
                                                     : "; absent classes left out (standard)";
  text += "; epsilon of the head's norms ";
  text += number_text(static_cast<double>(protocol.head_norm_eps));
  text += "; starting bases ";
  text += protocol.bases_seed ? "of seed " + std::to_string(*protocol.bases_seed) : std::string("fixed");
  return text;
}

}  // namespace dformer
