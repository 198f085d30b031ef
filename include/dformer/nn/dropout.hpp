#pragma once

#include <string>
#include <string_view>

#include <dformer/core/error.hpp>
#include <dformer/nn/parameter.hpp>

namespace dformer {

/// The probability with which something is left out. Throws: ArgumentError unless 0 <= p < 1.
inline float require_drop_probability(std::string_view what, float p) {
  if (p >= 0.0f && p < 1.0f) return p;
  throw_argument_error("[" + std::string(what) + "] expected a probability of 0 or more and below 1, got " +
                       std::to_string(p));
}

/// Leaves whole channels of each sample out with probability p while networks train (PyTorch's Dropout2d;
/// Tompson et al., CVPR 2015); otherwise nothing happens. Shapes: x [N, H, W, C] -> the same. No parameters.
template <class B>
struct Dropout2d {
  using Tensor = typename B::Tensor;

  float p = 0.1f;

  Tensor operator()(const Tensor& x) const {
    if constexpr (B::training) {
      return B::dropout2d(x, p);
    } else {
      return x;
    }
  }
};

}  // namespace dformer
