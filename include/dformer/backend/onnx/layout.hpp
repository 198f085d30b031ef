#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/backend/onnx/tensor.hpp>

/// From shapes, [N, ..., C], to extents in the graph. Values stay in the order in which their node makes
/// them; a Transpose is written only where another node needs the other order.
namespace dformer::onnx {

inline bool has_two_orders(const Shape& shape) {
  return shape.rank() >= 3;
}

/// [N, H, W, C] is {N, H, W, C} or {N, C, H, W}.
inline std::vector<std::int64_t> dims_of(const Shape& shape, Order order) {
  std::vector<std::int64_t> dims(shape.begin(), shape.end());
  if (order == Order::channels_first && has_two_orders(shape))
    std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
  return dims;
}

/// The same for the second input of Reshape, where 0 keeps the number of images, whatever it is at run time.
inline std::vector<std::int64_t> reshape_dims(std::vector<std::int64_t> dims) {
  dims.front() = 0;
  return dims;
}

inline std::string transposed(Recorder& recorder, std::string_view module, const std::string& name,
                              std::vector<std::int64_t> axes) {
  return recorder.add("Transpose", module, {name}, {{"perm", std::move(axes)}});
}

/// `name` under other extents; the first of them may be 0.
inline std::string reshaped(Recorder& recorder, std::string_view module, const std::string& name,
                            const std::vector<std::int64_t>& dims) {
  return recorder.add("Reshape", module, {name, recorder.integers(dims)});
}

/// The name under which the graph of `recorder` has x in that order.
inline std::string name_in(Recorder& recorder, const Tensor& x, Order order) {
  const Value& value = *x.value();
  const std::string name = x.is_constant() ? recorder.weight(value.name, value.module,
                                                             dims_of(x.shape(), value.order), value.elements)
                                           : value.name;
  if (order == value.order || !has_two_orders(x.shape())) return name;
  std::vector<std::int64_t> axes(static_cast<std::size_t>(x.shape().rank()));
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (order == Order::channels_first) {
    std::rotate(axes.begin() + 1, axes.end() - 1, axes.end());
  } else {
    std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  }
  return transposed(recorder, value.module, name, std::move(axes));
}
inline std::string name_in(const Tensor& x, Order order) {
  return name_in(x.recorder(), x, order);
}

/// One value for each channel, so that it broadcasts to a tensor of that rank and order: {C}, or {C, 1, 1}.
inline std::string per_channel(Recorder& recorder, const Tensor& channels, int rank, Order order) {
  std::vector<std::int64_t> dims{channels.shape().numel()};
  if (order == Order::channels_first && rank >= 3) dims.resize(static_cast<std::size_t>(rank) - 1, 1);
  const Value& value = *channels.value();
  if (channels.is_constant()) return recorder.weight(value.name, value.module, dims, value.elements);
  return reshaped(recorder, value.module, name_in(recorder, channels, Order::channels_last), dims);
}

/// The axis of channels in a value of that shape and order.
inline std::int64_t channel_axis(const Shape& shape, Order order) {
  return order == Order::channels_first && has_two_orders(shape) ? 1 : shape.rank() - 1;
}

/// The result of a node as a tensor, on the device of x.
inline Tensor result(const Tensor& x, const Shape& shape, Order order, std::string name, std::string module) {
  return Tensor(x.device(), shape, {.name = std::move(name), .module = std::move(module), .order = order});
}

}  // namespace dformer::onnx
