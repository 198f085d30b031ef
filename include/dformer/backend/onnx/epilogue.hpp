#pragma once

#include <string>

#include <dformer/backend/epilogue.hpp>
#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/onnx/norm.hpp>
#include <dformer/backend/onnx/pointwise.hpp>

namespace dformer::onnx {

/// The part of an epilogue that is the bias of the node before it: its shift, where it stands alone, or what
/// the shift of a normalisation has of the convolution's own bias. Empty where there is none.
inline std::string bias_of(Recorder& recorder, const Epilogue<Tensor>& epilogue) {
  if (!epilogue.scale && epilogue.shift)
    return per_channel(recorder, epilogue.shift, 1, Order::channels_last);
  if (norm_behind(epilogue.scale, epilogue.shift) == nullptr) return {};
  const Value* bias = epilogue.shift.value()->norm_bias.get();
  if (bias == nullptr) return {};
  const std::vector<std::int64_t> dims{static_cast<std::int64_t>(bias->elements->size())};
  return recorder.weight(bias->name, bias->module, dims, bias->elements);
}

/// The nodes of the rest of the epilogue, after `sums`, which already has that bias; in the order that
/// Epilogue states.
inline Tensor finished(const Tensor& input, const std::string& sums, const std::string& module,
                       const Shape& shape, Order order, const Epilogue<Tensor>& epilogue) {
  Recorder& recorder = input.recorder();
  std::string y = sums;
  const auto apply = [&](const char* op, const std::string& operand) {
    y = recorder.add(op, module, {y, operand});
  };
  const auto channels = [&](const Tensor& x) { return per_channel(recorder, x, shape.rank(), order); };
  if (const BatchNorm* norm = norm_behind(epilogue.scale, epilogue.shift)) {
    y = batch_normalized(recorder, y, *norm);
  } else if (epilogue.scale) {
    apply("Mul", channels(epilogue.scale));
    if (epilogue.shift) apply("Add", channels(epilogue.shift));
  }
  y = activated(recorder, module, y, epilogue.activation);
  if (epilogue.multiply) apply("Mul", name_in(recorder, epilogue.multiply, order));
  if (epilogue.layer_scale) apply("Mul", channels(epilogue.layer_scale));
  if (epilogue.residual) apply("Add", name_in(recorder, epilogue.residual, order));
  return result(input, shape, order, activated(recorder, module, y, epilogue.final_activation), module);
}

}  // namespace dformer::onnx
