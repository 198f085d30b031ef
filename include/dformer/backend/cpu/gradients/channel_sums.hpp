#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// A value for each channel, [C], repeated for each row of a group: [width].
template <class To, class From>
Tensor<To> repeated(const Device& device, const GroupedRows& rows, const From* values) {
  Tensor<To> result(device, Shape{rows.width});
  for (std::int64_t i = 0; i < rows.width; ++i) result.data()[i] = static_cast<To>(values[i % rows.channels]);
  return result;
}

/// What a ChannelSumsArgs kernel sums over rows of a (and b): [2, C]. `shift` has a value for each channel.
template <class T>
Tensor<double> sum_rows(typename GradientTable<T>::template Kernel<ChannelSumsArgs<T>> kernel,
                        const Device& device, const GroupedRows& rows, const T* a, const T* b = nullptr,
                        const T* shift = nullptr) {
  const std::int64_t slices = slices_of(rows.tasks(), rows.width);
  const Tensor<double> shifts = shift == nullptr ? Tensor<double>() : repeated<double>(device, rows, shift);
  Tensor<double> sums(device, Shape{slices, 2, rows.width});
  const ChannelSumsArgs<T> args{a, b, data_or_null(shifts), sums.data(), rows, slices};
  device.parallel_for(slices, [&](auto begin, auto end) { kernel(args, begin, end); });

  Tensor<double> result(device, Shape{2, rows.channels});
  std::fill_n(result.data(), result.shape().numel(), 0.0);
  const double* from = sums.data();
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    for (std::int64_t which = 0; which < 2; ++which) {
      double* to = result.data() + which * rows.channels;
      for (std::int64_t row = 0; row < rows.group; ++row, from += rows.channels) {
        for (std::int64_t c = 0; c < rows.channels; ++c) to[c] += from[c];
      }
    }
  }
  return result;
}

/// The rows of x [..., C].
inline GroupedRows grouped_rows(const Shape& x) {
  return {x.back(), x.rows()};
}

}  // namespace dformer::cpu
