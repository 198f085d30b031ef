#pragma once

#include <dformer/backend/autodiff/pointwise.hpp>
#include <dformer/backend/autodiff/stochastic.hpp>
#include <dformer/backend/epilogue.hpp>

namespace dformer::autodiff {

/// What of an epilogue can be done by the operation itself because backward needs nothing in between: the
/// shift, and then either an activation known by its result, or the residual. `rest` is what is left.
template <class B>
struct SplitEpilogue {
  using T = Tensor<B>;
  Epilogue<typename B::Tensor> fused;
  T shift;
  T residual;                                ///< fused; empty if there is none
  Activation activation = Activation::none;  ///< fused
  Epilogue<T> rest;

  explicit SplitEpilogue(const Epilogue<T>& given) : rest(given) {
    if (given.scale) return;
    shift = std::exchange(rest.shift, T{});
    fused.shift = shift.value();
    if (given.activation == Activation::relu || given.activation == Activation::sigmoid) {
      activation = std::exchange(rest.activation, Activation::none);
      fused.activation = activation;
    } else if (given.activation == Activation::none && !given.multiply && !given.layer_scale &&
               given.drop_path == 0.0f && given.residual) {
      residual = std::exchange(rest.residual, T{});
      fused.residual = residual.value();
    }
  }
};

/// The parts of an epilogue one by one, each recorded.
template <class B, bool training>
Tensor<B> finish(Tensor<B> y, const Epilogue<Tensor<B>>& epilogue) {
  using Ops = PointwiseOps<B>;
  if (epilogue.scale) y = Ops::scale_shift(y, epilogue.scale, epilogue.shift);
  if (epilogue.activation != Activation::none) y = Ops::activate(y, epilogue.activation);
  if (epilogue.multiply) y = Ops::multiply(y, epilogue.multiply);
  if (epilogue.layer_scale) y = Ops::scale_channels(y, epilogue.layer_scale);
  if constexpr (training) y = drop_path(y, epilogue.drop_path);
  if (epilogue.residual) y = Ops::add(y, epilogue.residual);
  if (epilogue.final_activation != Activation::none) y = Ops::activate(y, epilogue.final_activation);
  return y;
}

}  // namespace dformer::autodiff
