#pragma once

#include <dformer/nn/parameter.hpp>

namespace dformer {

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
