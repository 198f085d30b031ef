#pragma once

#include <string>
#include <vector>

#include <backend/naive_epilogue.hpp>
#include <support/backend_under_test.hpp>

#if defined(DFORMER_TEST_CUDA)
#include <dformer/backend/cuda/gradients/gradients.hpp>
#else
#include <dformer/backend/cpu/gradients/gradients.hpp>
#endif

namespace dformer::testing {

using TestGradients = Gradients<TestBackend>;

/// A weight or its gradient, in PyTorch's order.
template <class B>
Array weight_array(const typename B::Tensor& weight, WeightLayout layout) {
  Array array{weight.shape(), std::vector<float>(static_cast<std::size_t>(weight.shape().numel()))};
  B::weight_to_host(weight, layout, array.values);
  return array;
}

inline Array to_array(const Shape& shape, const std::vector<double>& values) {
  Array array{shape, {}};
  for (const double value : values) array.values.push_back(static_cast<float>(value));
  return array;
}

/// What the exception of type E that `call` throws says.
template <class E, class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "no exception of that type";
}

}  // namespace dformer::testing
