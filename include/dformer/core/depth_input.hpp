#pragma once

#include <cstdint>
#include <string>

#include <dformer/core/error.hpp>

namespace dformer {

/// What a network reads as depth: the official 8-bit picture of DFormer, stretched over each image, or
/// lengths in metres. Either is normalised first (data/normalization.hpp).
enum class DepthInput : std::uint8_t { greys, metres };

/// That of a network, which is greys unless it says otherwise.
template <class Network>
constexpr DepthInput depth_input_of(const Network& network) {
  if constexpr (requires { network.depth_input; }) {
    return network.depth_input;
  } else {
    return DepthInput::greys;
  }
}

/// What makes a network's input of 8-bit depth asks that it reads such. Throws: ArgumentError.
template <class Network>
void require_greys(const Network& network, const char* function) {
  if (depth_input_of(network) == DepthInput::greys) return;
  throw_argument_error("[" + std::string(function) +
                       "] this network reads depth in metres, which 8-bit depth pictures no longer have; pass "
                       "metric depth: segment(net, color, depth, {.encoding = MillimetreDepth{}})");
}

}  // namespace dformer
