#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/concept.hpp>
#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

/// The normalisation that a scale and a shift together amount to, or null where they are any two tensors.
inline const BatchNorm* norm_behind(const Tensor& scale, const Tensor& shift) {
  if (!scale || !shift || scale.value()->norm != shift.value()->norm) return nullptr;
  return scale.value()->norm.get();
}

/// A BatchNormalization node after `name`, which has its channels first.
inline std::string batch_normalized(Recorder& recorder, const std::string& name, const BatchNorm& norm) {
  std::vector<std::string> inputs{name};
  for (const Tensor* each : {&norm.weight, &norm.bias, &norm.mean, &norm.variance})
    inputs.push_back(name_in(recorder, *each, Order::channels_last));
  return recorder.add("BatchNormalization", norm.weight.module(), inputs, {{"epsilon", norm.eps}});
}

struct NormOps {
  static Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
    shapes::per_channel("layer_norm", x.shape(), bias.shape());
    const Shape shape = shapes::per_channel("layer_norm", x.shape(), weight.shape());
    Recorder& recorder = x.recorder();
    const auto name = [&](const Tensor& each) { return name_in(recorder, each, Order::channels_last); };
    return result(x, shape, Order::channels_last,
                  recorder.add("LayerNormalization", weight.module(), {name(x), name(weight), name(bias)},
                               {{"axis", std::int64_t{-1}}, {"epsilon", eps}}),
                  weight.module());
  }

  /// Constants that remember what they came from: used together, as they are meant, they become one
  /// BatchNormalization of the parameters themselves.
  static Affine<Tensor> batch_norm_affine(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                          const Tensor& variance, float eps) {
    for (const Tensor* other : {&bias, &mean, &variance}) {
      shapes::same("batch_norm_affine", weight.shape(), other->shape());
    }
    const auto norm = std::make_shared<const BatchNorm>(BatchNorm{weight, bias, mean, variance, eps});
    std::vector<float> scale(elements(weight).size());
    std::vector<float> shift(scale.size());
    for (std::size_t c = 0; c < scale.size(); ++c) {
      const double factor = static_cast<double>(elements(weight)[c]) /
                            std::sqrt(static_cast<double>(elements(variance)[c]) + static_cast<double>(eps));
      scale[c] = static_cast<float>(factor);
      shift[c] = static_cast<float>(static_cast<double>(elements(bias)[c]) -
                                    static_cast<double>(elements(mean)[c]) * factor);
    }
    return {part_of(norm, "scale", std::move(scale)), part_of(norm, "shift", std::move(shift))};
  }

  /// Of a convolution's bias, which goes through the normalisation after it, or of a feature map.
  static Tensor scale_shift(const Tensor& x, const Tensor& scale, const Tensor& shift) {
    shapes::per_channel("scale_shift", x.shape(), shift.shape());
    const Shape shape = shapes::per_channel("scale_shift", x.shape(), scale.shape());
    const BatchNorm* norm = norm_behind(scale, shift);
    if (x.is_constant()) return shifted_bias(x, scale, shift);
    Recorder& recorder = x.recorder();
    if (norm != nullptr && x.shape().rank() >= 3) {
      return result(x, shape, Order::channels_first,
                    batch_normalized(recorder, name_in(x, Order::channels_first), *norm),
                    norm->weight.module());
    }
    const Order order = x.value()->order;
    const std::string product = recorder.add(
        "Mul", x.module(), {name_in(x, order), per_channel(recorder, scale, shape.rank(), order)});
    return result(
        x, shape, order,
        recorder.add("Add", x.module(), {product, per_channel(recorder, shift, shape.rank(), order)}),
        x.module());
  }

 private:
  static const std::vector<float>& elements(const Tensor& constant) {
    if (!constant.is_constant())
      throw_argument_error("[onnx] the parameters of a normalisation must be constants");
    return *constant.value()->elements;
  }

  static Tensor part_of(const std::shared_ptr<const BatchNorm>& norm, const char* part,
                        std::vector<float> values) {
    return Tensor(norm->weight.device(), norm->weight.shape(),
                  {.name = norm->weight.module() + "." + part,
                   .module = norm->weight.module(),
                   .elements = std::make_shared<const std::vector<float>>(std::move(values)),
                   .norm = norm});
  }

  static Tensor shifted_bias(const Tensor& bias, const Tensor& scale, const Tensor& shift) {
    std::vector<float> values = elements(bias);
    for (std::size_t c = 0; c < values.size(); ++c) {
      const std::size_t channel = c % elements(scale).size();
      values[c] = values[c] * elements(scale)[channel] + elements(shift)[channel];
    }
    Value value = *shift.value();
    value.name = bias.module() + ".shift";
    value.elements = std::make_shared<const std::vector<float>>(std::move(values));
    value.norm_bias = bias.value();
    return Tensor(bias.device(), bias.shape(), std::move(value));
  }
};

}  // namespace dformer::onnx
