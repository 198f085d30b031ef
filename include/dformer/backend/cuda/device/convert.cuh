#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/convert.hpp>

namespace dformer::cuda {
namespace device {

template <class From, class To>
__global__ void convert_elements(ConvertArgs<From, To> args) {
  for (std::int64_t i = global_thread(); i < args.count; i += global_threads()) {
    args.y[i] = from_float<To>(to_float(args.x[i]));
  }
}

}  // namespace device

template <class From, class To>
void convert(const ConvertArgs<From, To>& args, Stream stream) {
  device::launch("convert", device::convert_elements<From, To>, device::elementwise_grid(args.count), stream,
                 args);
}

template void convert(const ConvertArgs<float, half>&, Stream);
template void convert(const ConvertArgs<float, bfloat16>&, Stream);
template void convert(const ConvertArgs<half, float>&, Stream);
template void convert(const ConvertArgs<bfloat16, float>&, Stream);

}  // namespace dformer::cuda
