#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <dformer/backend/cuda/element_type.hpp>
#include <dformer/backend/cuda/event.hpp>
#include <dformer/backend/cuda/measure/noise.hpp>

namespace dformer::cuda {

/// The most that a GPU does of what networks need, as it was measured: beside these, the figures of a network
/// or a kernel say how much is left to gain. A multiply-add is two operations.
struct Ceilings {
  double product_flops;  ///< a second, in large products of matrices of the precision asked for
  double tf32_flops;     ///< a second, in such products of float32 numbers that are rounded to TF32
  double float32_flops;  ///< a second, in such products of float32 numbers, which are not rounded
  double bytes;          ///< read and written a second, by a large copy on the device
};

/// Of what ceilings are measured with. The defaults are for GPUs of a data centre.
struct CeilingSizes {
  std::int64_t extent = 8192;                       ///< of the matrices, all of them square
  std::size_t copied_bytes = std::size_t{1} << 30;  ///< far beyond any cache
  int runs = 10;                                    ///< of which the best counts
};

/// Least milliseconds of some runs, after two that warm up.
template <class Body>
double least_device_milliseconds(const Device& device, int runs, const Body& body) {
  double least = std::numeric_limits<double>::infinity();
  for (int run = -2; run < runs; ++run) {
    const double taken = device_milliseconds(device, body);
    if (run >= 0 && taken < least) least = taken;
  }
  return least;
}

/// Operations a second in a product of square matrices of T.
template <class T>
double measure_product_flops(const DeviceOptions& options, const CeilingSizes& sizes) {
  const Device device(options);
  const Noise<T> noise(device);
  const std::int64_t n = sizes.extent;
  const Tensor<T> a = noise.tensor({n, n}), b = noise.tensor({n, n});
  Tensor<T> y(device, {n, n});
  const library::Product product{.type = element_type<T>(),
                                 .result_type = element_type<T>(),
                                 .a = a.data(),
                                 .b = b.data(),
                                 .y = y.data(),
                                 .rows = n,
                                 .columns = n,
                                 .depth = n,
                                 .transpose_a = false,
                                 .transpose_b = true,
                                 .leading_a = n,
                                 .leading_b = n,
                                 .leading_y = n,
                                 .beta = 0.0f,
                                 .bias = nullptr};
  const double taken =
      least_device_milliseconds(device, sizes.runs, [&] { library::multiply(device.libraries(), product); });
  const auto extent = static_cast<double>(n);
  return 2.0 * extent * extent * extent / (taken * 1e-3);
}

/// Bytes a second that a copy on the device reads and writes.
inline double measure_copied_bytes(const DeviceOptions& options, const CeilingSizes& sizes) {
  const Device device(options);
  const Shape shape{static_cast<std::int64_t>(sizes.copied_bytes / sizeof(float))};
  const Tensor<float> from = Noise<float>(device).tensor(shape);
  Tensor<float> to(device, shape);
  const double taken = least_device_milliseconds(device, sizes.runs, [&] {
    runtime::copy_on_device(to.memory(), from.memory(), sizes.copied_bytes, device.stream());
  });
  return 2.0 * static_cast<double>(sizes.copied_bytes) / (taken * 1e-3);
}

/// Ceilings of the GPU and for the arithmetic that `options` name, with activations of T. The memory that
/// this takes, some gigabytes, is given back.
template <class T>
Ceilings measure_ceilings(DeviceOptions options = {}, const CeilingSizes& sizes = {}) {
  Ceilings ceilings{};
  ceilings.bytes = measure_copied_bytes(options, sizes);
  ceilings.product_flops = measure_product_flops<T>(options, sizes);
  options.allow_tf32 = true;
  ceilings.tf32_flops = measure_product_flops<float>(options, sizes);
  options.allow_tf32 = false;
  ceilings.float32_flops = measure_product_flops<float>(options, sizes);
  return ceilings;
}

}  // namespace dformer::cuda
