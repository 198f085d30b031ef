#pragma once

#include <cstdint>

namespace dformer {

/// The order in which a network reads the colour channels. Every official DFormer reads B, G, R, except
/// DFormerv2 on SUNRGBD, which reads R, G, B, as AsymFormer does.
enum class ColorOrder : std::uint8_t { bgr, rgb };

}  // namespace dformer
