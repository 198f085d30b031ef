#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/autodiff/pointwise.hpp>

namespace dformer::autodiff {

template <class B>
struct ResampleOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T adaptive_avg_pool(std::span<const T> inputs, std::int64_t height, std::int64_t width) {
    const std::vector<Value> values = values_of(inputs);
    const Shape x = values.at(0).shape();
    return record<B>(B::adaptive_avg_pool(values, height, width), inputs, {},
                     [channels = channels_of(inputs), x](const Value& dy, Parents<B>& to) {
                       give_pieces(to, channels.size(), channels, G::adaptive_avg_pool(dy, x[1], x[2]));
                     });
  }

  static T resize_bilinear(const T& x, std::int64_t height, std::int64_t width, bool align_corners) {
    return record<B>(B::resize_bilinear(x.value(), height, width, align_corners), {&x},
                     [shape = x.shape(), align_corners](const Value& dy, Parents<B>& to) {
                       to.give(0, G::resize_bilinear(dy, shape[1], shape[2], align_corners));
                     });
  }

  /// Labels have no gradient.
  static typename B::Labels resize_argmax(const T& logits, std::int64_t height, std::int64_t width) {
    return B::resize_argmax(logits.value(), height, width);
  }
};

}  // namespace dformer::autodiff
