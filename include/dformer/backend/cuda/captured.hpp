#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/device.hpp>
#include <dformer/backend/cuda/graph.hpp>
#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer {

// Defined in nn/visit.hpp, which every network includes.
template <class Module>
typename Module::Backend::Device device_of(const Module& module);
template <class Module>
std::vector<typename Module::Tensor> values_of(const Module& module);

}  // namespace dformer

namespace dformer::cuda {

/// The size of the image pairs that a captured network takes.
struct CapturedSize {
  std::int64_t images;
  std::int64_t height;
  std::int64_t width;
};

/// A network for image pairs of one size, recorded as a graph, so that the host makes one call for each pair
/// instead of one for each operation: what a small network at batch 1 waits for.
///
///     cuda::Captured scores(net, {1, 480, 640});        // as net(rgb, depth)
///     auto labels = cuda::capture_labels(net, {1, 480, 640});
///     const auto& result = labels(rgb, depth);          // on the device
///
/// It runs on the network's device, in order with what else is started there, and has memory of its own. It
/// reads the network's parameters where they were, and keeps them: what an optimiser changes in place is
/// seen, values that replace them (`load`, `initialize`, `draw_bases`) are not.
template <class T, class Output>
class Captured {
 public:
  /// Throws: CudaError where the network brings values from or to the host, and what it throws.
  template <class Network>
  Captured(const Network& network, const CapturedSize& size)
      : Captured(device_of(network), network, size, values_of(network)) {}

  /// The same of any `function(rgb, depth)` on that device. It is called twice: once to find algorithms and
  /// memory, and once to be recorded. `kept` are tensors that it reads, which live as long as this does.
  template <class Function>
  Captured(const Device& device, const Function& function, const CapturedSize& size,
           std::vector<Tensor<T>> kept = {})
      : device_(device), kept_(std::move(kept)) {
    const SeparateMemory memory(device_);
    const SideBySide branches(device_);
    rgb_ = Tensor<T>(device_, {size.images, size.height, size.width, 3}, Elements::full);
    depth_ = Tensor<T>(device_, {size.images, size.height, size.width, 1}, Elements::full);
    fill_with_zeros(rgb_);
    fill_with_zeros(depth_);
    static_cast<void>(function(rounded(rgb_), rounded(depth_)));
    device_.synchronize();
    graph_ = Graph(device_.stream(), [&] { output_ = function(rounded(rgb_), rounded(depth_)); });
  }

  const Device& device() const { return device_; }

  /// Copies an image pair in and starts the network. The result is on the device, valid until the next call.
  /// Shapes: rgb [N, H, W, 3], depth [N, H, W, 1] of the size given. Throws: ShapeError for other counts.
  const Output& operator()(std::span<const float> rgb, std::span<const float> depth) {
    upload("captured rgb", rgb, rgb_);
    upload("captured depth", depth, depth_);
    return operator()();
  }

  /// Starts the network again on the pair that it has: what is left to measure without the copies.
  const Output& operator()() {
    graph_.replay(device_.stream());
    return output_;
  }

 private:
  void upload(const char* op, std::span<const float> values, Tensor<T>& to) const {
    if (static_cast<std::int64_t>(values.size()) != to.elements()) {
      shapes::fail(op, std::to_string(values.size()) + " values do not fill the shape", {to.shape()});
    }
    device_.staging().upload(to.memory(), values.data(), values.size_bytes(), device_.stream());
  }
  static Tensor<T> rounded(const Tensor<T>& full) {
    if constexpr (std::is_same_v<T, float>) {
      return full;
    } else {
      Tensor<T> y(full.device(), full.shape());
      convert(ConvertArgs<float, T>{full.full_data(), y.data(), y.elements()}, y.device().stream());
      return y;
    }
  }

  Device device_;
  std::vector<Tensor<T>> kept_;
  Tensor<T> rgb_, depth_;
  Output output_;
  Graph graph_;
};

template <class Network>
Captured(const Network&, const CapturedSize&)
    -> Captured<typename Network::Tensor::value_type, typename Network::Tensor>;

/// The same for the class of every pixel, network.labels(rgb, depth).
template <class Network>
auto capture_labels(const Network& network, const CapturedSize& size) {
  using T = typename Network::Tensor::value_type;
  const auto labels = [&](const Tensor<T>& rgb, const Tensor<T>& depth) {
    return network.labels(rgb, depth);
  };
  return Captured<T, typename Network::Labels>(device_of(network), labels, size, values_of(network));
}

}  // namespace dformer::cuda
