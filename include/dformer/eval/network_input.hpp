#pragma once

#include <dformer/data/normalization.hpp>

namespace dformer {

/// Image pairs on a network's device: rgb [N, H, W, 3] and depth [N, H, W, 1], normalised.
template <class Tensor>
struct NetworkInput {
  Tensor rgb;
  Tensor depth;
};

/// Brings a normalised pair to the device.
template <class B>
NetworkInput<typename B::Tensor> upload(const NormalizedImage& image, const typename B::Device& device) {
  return {B::from_host(device, {1, image.height, image.width, 3}, image.color),
          B::from_host(device, {1, image.height, image.width, 1}, image.depth)};
}

}  // namespace dformer
