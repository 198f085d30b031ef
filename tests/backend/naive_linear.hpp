#pragma once

#include <backend/naive_epilogue.hpp>

namespace dformer::testing {

/// x [..., I] by weight [O, I], summed in double.
inline Array naive_linear(const Array& x, const Array& weight, const NaiveEpilogue& epilogue = {}) {
  const auto depth = static_cast<std::size_t>(x.shape.back());
  const auto channels = static_cast<std::size_t>(weight.shape[0]);
  Array y{x.shape.with_back(weight.shape[0]), {}};
  y.values.resize(static_cast<std::size_t>(y.shape.numel()));
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const float* row = &x.values[i / channels * depth];
    const float* filter = &weight.values[i % channels * depth];
    double sum = 0;
    for (std::size_t k = 0; k < depth; ++k)
      sum += static_cast<double>(row[k]) * static_cast<double>(filter[k]);
    y.values[i] = static_cast<float>(epilogue(sum, i, channels));
  }
  return y;
}

}  // namespace dformer::testing
