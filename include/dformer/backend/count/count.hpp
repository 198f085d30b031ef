#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer {

/// Multiply-adds by kind of operation. Papers on this subject count `dense` alone, and call it FLOPs.
struct MultiplyAdds {
  std::int64_t dense = 0;          ///< linear layers and convolutions
  std::int64_t attention = 0;      ///< scores, and their products with the values
  std::int64_t factorization = 0;  ///< the Hamburger's matrix products

  std::int64_t total() const { return dense + attention + factorization; }
};

namespace count {

/// What operations would cost.
struct Tally {
  MultiplyAdds multiply_adds{};
  /// Elements in and out of memory where each operation reads each operand once, weights too, and writes its
  /// result once. What has one value for each channel is left out.
  std::int64_t elements_moved = 0;
};

/// Where operations add what they would cost. A handle: tensors of one device share its tally, which outlives
/// them.
class Device {
 public:
  Device() = default;
  explicit Device(Tally& tally) : tally_(&tally) {}
  /// Null for the device on which nothing is counted.
  Tally* tally() const { return tally_; }

 private:
  Tally* tally_ = nullptr;
};

/// A shape without elements.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Device& device, const Shape& shape) : device_(device), shape_(shape), made_(true) {}

  explicit operator bool() const { return made_; }
  const Shape& shape() const { return shape_; }
  const Device& device() const { return device_; }

 private:
  Device device_;
  Shape shape_;
  bool made_ = false;
};

}  // namespace count

/// The backend that computes nothing: a forward pass checks every shape, and counts multiply-adds and
/// elements moved.
struct Count {
  using Tensor = count::Tensor;
  using Labels = count::Tensor;
  using Device = count::Device;
  using Inputs = std::span<const Tensor>;
  static constexpr bool training = false;

  static Device default_device() { return Device(); }
  static Tensor empty(const Device& device, const Shape& shape) { return Tensor(device, shape); }
  static Tensor from_host(const Device& device, const Shape& shape, std::span<const float>) {
    return Tensor(device, shape);
  }
  static void to_host(const Tensor&, std::span<float>) { throw_no_elements(); }
  static Tensor reshape(const Tensor& x, const Shape& shape) {
    if (shape.numel() != x.shape().numel()) {
      shapes::fail("reshape", "number of elements must stay the same", {x.shape(), shape});
    }
    return like(x, shape);
  }
  static Tensor weight_from_host(const Device& device, WeightLayout layout, const Shape& shape,
                                 std::span<const float>) {
    shapes::weight(layout, shape);
    return Tensor(device, shape);
  }
  static void weight_to_host(const Tensor&, WeightLayout, std::span<float>) { throw_no_elements(); }

  static Tensor linear(Inputs inputs, const Tensor& weight, const Epilogue<Tensor>& epilogue) {
    const Tensor x = joined(inputs);
    const Tensor y = like(x, shapes::linear(x.shape(), weight.shape()));
    shapes::epilogue("linear", y.shape(), epilogue);
    add(x, &MultiplyAdds::dense, y.shape().numel() * x.shape().back());
    return moved(y, x, weight, epilogue.multiply, epilogue.residual);
  }
  static Tensor conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                       const Epilogue<Tensor>& epilogue) {
    const Tensor y = like(x, shapes::conv2d(x.shape(), weight.shape(), window));
    shapes::epilogue("conv2d", y.shape(), epilogue);
    add(x, &MultiplyAdds::dense, y.shape().numel() * (weight.shape().numel() / weight.shape()[0]));
    return moved(y, x, weight, epilogue.multiply, epilogue.residual);
  }
  static Tensor depthwise_conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                                 const Epilogue<Tensor>& epilogue) {
    const Tensor y = like(x, shapes::depthwise_conv2d(x.shape(), weight.shape(), window));
    shapes::epilogue("depthwise_conv2d", y.shape(), epilogue);
    add(x, &MultiplyAdds::dense, y.shape().numel() * window.kernel * window.kernel);
    return moved(y, x, weight, epilogue.multiply, epilogue.residual);
  }

  static Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float) {
    shapes::per_channel("layer_norm", x.shape(), bias.shape());
    return moved(like(x, shapes::per_channel("layer_norm", x.shape(), weight.shape())), x);
  }
  static Affine<Tensor> batch_norm_affine(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                          const Tensor& variance, float) {
    for (const Tensor* other : {&bias, &mean, &variance}) {
      shapes::same("batch_norm_affine", weight.shape(), other->shape());
    }
    return {weight, weight};
  }
  static Tensor scale_shift(const Tensor& x, const Tensor& scale, const Tensor& shift) {
    shapes::per_channel("scale_shift", x.shape(), shift.shape());
    return moved(like(x, shapes::per_channel("scale_shift", x.shape(), scale.shape())), x);
  }

  static Tensor activate(const Tensor& x, Activation) { return moved(x, x); }
  static Tensor add(const Tensor& a, const Tensor& b) {
    return moved(like(a, shapes::same("add", a.shape(), b.shape())), a, b);
  }
  static Tensor multiply(const Tensor& a, const Tensor& b) {
    return moved(like(a, shapes::same("multiply", a.shape(), b.shape())), a, b);
  }
  static Tensor concat(Inputs inputs) {
    const Tensor y = joined(inputs);
    return moved(y, y);  // as much is read as written
  }
  static Tensor select_channels(const Tensor& x, std::int64_t first, std::int64_t count) {
    const Tensor y = like(x, shapes::select_channels(x.shape(), first, count));
    return moved(y, y);  // as much is read as written
  }
  static Tensor softmax(const Tensor& x) { return moved(x, x); }
  static Tensor gate(const Tensor& x, const Tensor& spatial, const Tensor& channel, float) {
    return moved(like(x, shapes::gate(x.shape(), spatial.shape(), channel.shape())), x);
  }

  static Tensor adaptive_avg_pool(Inputs inputs, std::int64_t height, std::int64_t width) {
    const Tensor x = joined(inputs);
    return moved(like(x, shapes::resized("adaptive_avg_pool", x.shape(), height, width)), x);
  }
  static Tensor resize_bilinear(const Tensor& x, std::int64_t height, std::int64_t width, bool) {
    return moved(like(x, shapes::resized("resize_bilinear", x.shape(), height, width)), x);
  }
  static Labels resize_argmax(const Tensor& logits, std::int64_t height, std::int64_t width) {
    return moved(like(logits, shapes::labels("resize_argmax", logits.shape(), height, width)), logits);
  }
  static void labels_to_host(const Labels&, std::span<std::uint8_t>) { throw_no_elements(); }

  static Tensor attention(const Tensor& q, const Tensor& kv, int num_heads, float) {
    const Tensor y = like(q, shapes::attention(q.shape(), kv.shape(), num_heads));
    add(q, &MultiplyAdds::attention, 2 * y.shape().numel() * kv.shape()[1]);
    return moved(y, q, kv);
  }
  static Tensor rotary(const Tensor& x, const Tensor& angle, int num_heads, float) {
    return moved(like(x, shapes::rotary(x.shape(), angle.shape(), num_heads)), x);
  }
  static Tensor geometry_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const GeometryPrior<Tensor>& prior, int num_heads,
                                   GeometryAttention kind) {
    const Tensor y =
        like(q, shapes::geometry_attention(q.shape(), k.shape(), v.shape(), prior.depth.shape(),
                                           prior.weight.shape(), prior.decay.shape(), num_heads));
    const std::int64_t height = q.shape()[1];
    const std::int64_t width = q.shape()[2];
    const std::int64_t reach = kind == GeometryAttention::full ? height * width : height + width;
    add(q, &MultiplyAdds::attention, 2 * y.shape().numel() * reach);
    return moved(y, q, k, v, prior.depth);
  }
  static Tensor nmf(const Tensor& x, const Tensor& bases, int steps, float) {
    const Tensor y = like(x, shapes::nmf(x.shape(), bases.shape(), steps));
    const std::int64_t n = x.shape()[0], t = x.shape()[1], d = x.shape()[2], r = bases.shape()[2];
    const std::int64_t coefficients = t * d * r + d * r * r + t * r * r;
    const std::int64_t update_bases = t * d * r + t * r * r + d * r * r;
    add(x, &MultiplyAdds::factorization,
        n * (2 * t * d * r + (steps + 1) * coefficients + steps * update_bases));
    return moved(y, x, bases);
  }

 private:
  static Tensor like(const Tensor& x, const Shape& shape) { return Tensor(x.device(), shape); }
  static void add(const Tensor& x, std::int64_t MultiplyAdds::*kind, std::int64_t count) {
    if (x.device().tally() != nullptr) x.device().tally()->multiply_adds.*kind += count;
  }
  /// The inputs as one, which is never made.
  static Tensor joined(Inputs inputs) {
    std::vector<Shape> all;
    for (const Tensor& input : inputs) all.push_back(input.shape());
    const Shape shape = shapes::concat(all);
    return like(inputs[0], shape);
  }
  /// Counts that y is written, and what it is made of read. Returns y.
  template <class... Operands>
  static Tensor moved(const Tensor& y, const Operands&... read) {
    const auto elements = [](const Tensor& x) { return x ? x.shape().numel() : 0; };
    if (count::Tally* const tally = y.device().tally()) {
      tally->elements_moved += (elements(y) + ... + elements(read));
    }
    return y;
  }
  [[noreturn]] static void throw_no_elements() {
    throw_argument_error("[count] tensors of the Count backend have shapes and no elements");
  }
};

static_assert(Backend<Count>);

}  // namespace dformer
