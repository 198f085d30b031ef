#pragma once

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

template <class T>
struct NormOps {
  /// x [..., C] * scale [C] + shift [C].
  static Tensor<T> scale_shift(const Tensor<T>& x, const Tensor<T>& scale, const Tensor<T>& shift) {
    shapes::per_channel("scale_shift", x.shape(), scale.shape());
    shapes::per_channel("scale_shift", x.shape(), shift.shape());
    Tensor<T> y(x.device(), x.shape());
    const ScaleShiftArgs<T> args{x.data(), scale.data(), shift.data(), y.data(), x.shape().back()};
    const auto kernel = kernels<T>(x.device().isa()).scale_shift;
    x.device().parallel_for(x.shape().rows(), [&](auto begin, auto end) { kernel(args, begin, end); });
    return y;
  }
};

}  // namespace dformer::cpu
