#pragma once

#include <cstdint>

#include <dformer/backend/count/count.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {

/// What a network costs for one input size.
struct Cost {
  std::int64_t parameters = 0;
  MultiplyAdds multiply_adds{};
  /// In and out of memory by operations that read each operand once and write each result once.
  std::int64_t elements_moved = 0;
};

/// Runs a network of the Count backend, also one chosen by name:
/// `cost_of(*make_segmenter<Count>("DFormer_Large"), 480, 640)`.
template <class Network>
Cost cost_of(Network& network, std::int64_t height, std::int64_t width, std::int64_t batch = 1) {
  for (auto& [name, parameter] : parameters(network))
    parameter->set(Count::Tensor(Count::Device(), parameter->shape()));
  count::Tally tally;
  const Count::Device device(tally);
  network(Count::Tensor(device, {batch, height, width, 3}), Count::Tensor(device, {batch, height, width, 1}));
  return {parameter_count(network), tally.multiply_adds, tally.elements_moved};
}

/// The same from a type alone: `cost<DFormer_Large<Count>>(480, 640)`.
template <class Network>
Cost cost(std::int64_t height, std::int64_t width, std::int64_t batch = 1) {
  Network network;
  return cost_of(network, height, width, batch);
}

}  // namespace dformer
