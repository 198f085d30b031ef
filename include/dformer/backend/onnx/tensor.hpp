#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/onnx/recorder.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer::onnx {

/// Where operations add their nodes. A handle: the recorder outlives the tensors of the device.
class Device {
 public:
  Device() = default;
  explicit Device(Recorder& recorder) : recorder_(&recorder) {}

  /// Throws: ArgumentError for the device that records nothing, on which there are only weights.
  Recorder& recorder() const {
    if (recorder_ == nullptr) {
      throw_argument_error(
          "[onnx] this tensor belongs to no graph; record a network with onnx_graph(network, options)");
    }
    return *recorder_;
  }

 private:
  Recorder* recorder_ = nullptr;
};

/// How the extents of a value in the graph follow each other. Shapes in dformer say [N, H, W, C]; in the
/// graph the same value may be [N, C, H, W], which convolutions want. Below rank 3 there is no difference.
enum class Order : std::uint8_t { channels_last, channels_first };

struct BatchNorm;

/// What stands behind a tensor: the result of a node, or constant elements that become an initializer when
/// a node first takes them.
struct Value {
  std::string name{};    ///< in the graph; of a parameter, its own
  std::string module{};  ///< path of the module whose weight or result it is
  Order order = Order::channels_last;
  Recorder::Values elements{};              ///< of a constant
  std::shared_ptr<const BatchNorm> norm{};  ///< of the scale and the shift that a normalisation amounts to
  std::shared_ptr<Value> norm_bias{};       ///< of such a shift: the bias of the convolution before
};

class Tensor {
 public:
  Tensor() = default;
  Tensor(Device device, const Shape& shape, Value value)
      : device_(device), shape_(shape), value_(std::make_shared<Value>(std::move(value))) {}

  explicit operator bool() const { return value_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Device& device() const { return device_; }
  Recorder& recorder() const { return device_.recorder(); }
  bool is_constant() const { return value_->elements != nullptr; }
  const std::string& module() const { return value_->module; }
  /// Handles of one tensor share this.
  const std::shared_ptr<Value>& value() const { return value_; }

 private:
  Device device_;
  Shape shape_;
  std::shared_ptr<Value> value_;
};

/// The parameters of a normalisation with running statistics, [C] each.
struct BatchNorm {
  Tensor weight;
  Tensor bias;
  Tensor mean;
  Tensor variance;
  float eps;
};

/// Gives a weight its name in the checkpoint, "backbone.stages.0.0.attn.q.weight"; nodes that take it are
/// named after its module.
inline void set_name(const Tensor& weight, const std::string& name) {
  weight.value()->name = name;
  const std::size_t dot = name.rfind('.');
  weight.value()->module = dot == name.npos ? std::string() : name.substr(0, dot);
}

}  // namespace dformer::onnx
