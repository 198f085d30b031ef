#pragma once

#include <dformer/backend/autodiff/tensor.hpp>
#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/gradients.hpp>

namespace dformer::autodiff {

template <class B>
struct AttentionOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T attention(const T& q, const T& kv, int num_heads, float scale) {
    return record<B>(B::attention(q.value(), kv.value(), num_heads, scale), {&q, &kv},
                     [q = q.value(), kv = kv.value(), num_heads, scale](const Value& dy, Parents<B>& to) {
                       auto gradients = G::attention(q, kv, num_heads, scale, dy);
                       to.give(0, std::move(gradients.q));
                       to.give(1, std::move(gradients.kv));
                     });
  }

  static T rotary(const T& x, const T& angle, int num_heads, float scale) {
    return record<B>(B::rotary(x.value(), angle.value(), num_heads, scale), {&x},
                     [angle = angle.value(), num_heads, scale](const Value& dy, Parents<B>& to) {
                       to.give(0, G::rotary(dy, angle, num_heads, scale));
                     });
  }

  static T geometry_attention(const T& q, const T& k, const T& v, const GeometryPrior<T>& prior,
                              int num_heads, GeometryAttention kind) {
    const GeometryPrior<Value> inner{prior.depth.value(), prior.weight.value(), prior.decay.value()};
    return record<B>(B::geometry_attention(q.value(), k.value(), v.value(), inner, num_heads, kind),
                     {&q, &k, &v, &prior.weight},
                     [q = q.value(), k = k.value(), v = v.value(), inner, num_heads, kind](const Value& dy,
                                                                                           Parents<B>& to) {
                       auto gradients = G::geometry_attention(q, k, v, inner, num_heads, kind, dy);
                       to.give(0, std::move(gradients.q));
                       to.give(1, std::move(gradients.k));
                       to.give(2, std::move(gradients.v));
                       to.give(3, std::move(gradients.weight));
                     });
  }
};

template <class B>
struct FactorizationOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;

  /// The bases are where the iteration starts and have no gradient.
  static T nmf(const T& x, const T& bases, int steps, float inv_t) {
    return record<B>(B::nmf(x.value(), bases.value(), steps, inv_t), {&x},
                     [x = x.value(), bases = bases.value(), steps, inv_t](const Value& dy, Parents<B>& to) {
                       to.give(0, Gradients<B>::nmf(x, bases, steps, inv_t, dy));
                     });
  }
};

}  // namespace dformer::autodiff
