#pragma once

#include <string>

namespace dformer {

/// Extents of an image in pixels, in the order of shapes.
struct ImageSize {
  int height = 0;
  int width = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

/// "480x640": height and width.
inline std::string to_string(const ImageSize& size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

}  // namespace dformer
