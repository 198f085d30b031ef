#pragma once

#include <vector>

#include <dformer/backend/autodiff/epilogue.hpp>

namespace dformer::autodiff {

template <class B, bool training>
struct NormOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T layer_norm(const T& x, const T& weight, const T& bias, float eps) {
    return record<B>(B::layer_norm(x.value(), weight.value(), bias.value(), eps), {&x, &weight, &bias},
                     [x = x.value(), weight = weight.value(), eps](const Value& dy, Parents<B>& to) {
                       give(G::layer_norm(x, weight, dy, eps), to);
                     });
  }

  /// Normalisation with the statistics of x [N, H, W, C] itself, which also move the running ones.
  static T batch_norm(const T& x, const T& weight, const T& bias, const T& running_mean, const T& running_var,
                      float eps, float momentum, const Epilogue<T>& epilogue) {
    const BatchStatistics<Value> statistics = G::batch_statistics(x.value());
    if (!forward_is_repeated())
      G::update_statistics(running_mean.value(), running_var.value(), statistics, x.shape().rows(), momentum);
    const auto affine =
        B::batch_norm_affine(weight.value(), bias.value(), statistics.mean, statistics.variance, eps);
    const T y =
        record<B>(B::scale_shift(x.value(), affine.scale, affine.shift), {&x, &weight, &bias},
                  [x = x.value(), weight = weight.value(), statistics, eps](const Value& dy, Parents<B>& to) {
                    give(G::batch_norm(x, weight, statistics, eps, dy), to);
                  });
    return finish<B, training>(y, epilogue);
  }

  /// Of running statistics, which have no gradient.
  static Affine<T> batch_norm_affine(const T& weight, const T& bias, const T& mean, const T& variance,
                                     float eps) {
    const auto affine =
        B::batch_norm_affine(weight.value(), bias.value(), mean.value(), variance.value(), eps);
    const auto ones = constant(weight.value(), 1.0f);
    const auto unit =
        B::batch_norm_affine(ones, constant(weight.value(), 0.0f), mean.value(), variance.value(), eps);
    return {record<B>(affine.scale, {&weight},
                      [unit = unit.scale](const Value& d, Parents<B>& to) {
                        to.give(0, [&] { return B::multiply(d, unit); });
                      }),
            record<B>(affine.shift, {&weight, &bias}, [unit = unit.shift](const Value& d, Parents<B>& to) {
              to.give(0, [&] { return B::multiply(d, unit); });
              to.give(1, d);
            })};
  }

  static T scale_shift(const T& x, const T& scale, const T& shift) {
    return PointwiseOps<B>::scale_shift(x, scale, shift);
  }

 private:
  static void give(NormGradients<Value> gradients, Parents<B>& to) {
    to.give(0, std::move(gradients.x));
    to.give(1, std::move(gradients.weight));
    to.give(2, std::move(gradients.bias));
  }
  static Value constant(const Value& like, float value) {
    const std::vector<float> values(static_cast<std::size_t>(like.shape().numel()), value);
    return B::from_host(like.device(), like.shape(), values);
  }
};

}  // namespace dformer::autodiff
