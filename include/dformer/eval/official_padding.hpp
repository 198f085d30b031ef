#pragma once

#include <optional>
#include <string_view>

#include <dformer/core/image_size.hpp>
#include <dformer/models/dataset.hpp>

namespace dformer {

/// The size to which the official evaluation pads every image: that of DFormerv2 on SUNRGBD does, and no
/// other.
inline std::optional<ImageSize> official_padded_size(std::string_view model, OfficialDataset dataset) {
  if (dataset != OfficialDataset::sunrgbd || !model.starts_with("DFormerv2")) return std::nullopt;
  return ImageSize{531, 730};
}

}  // namespace dformer
