#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/attention.hpp>

namespace dformer::cuda {
namespace device {

/// A thread takes one pair of channels of one token, in all heads, so that sines and cosines are made once;
/// heads lie near enough to each other that their accesses share lines of the cache. Angles reach thousands:
/// sincosf reduces them exactly. Back is the transposed rotation, also where the two angles differ.
template <class T>
__global__ void rotate_pairs(RotaryArgs<T> args) {
  const std::int64_t pairs = args.head_dim / 2;
  for (std::int64_t i = global_thread(); i < args.rows * pairs; i += global_threads()) {
    const std::int64_t row = i / pairs, c = i % pairs * 2;
    const auto token = static_cast<float>(row % args.tokens);
    float even_sine, even_cosine, odd_sine, odd_cosine;
    sincosf(__fmul_rn(token, args.angle[c]), &even_sine, &even_cosine);
    sincosf(__fmul_rn(token, args.angle[c + 1]), &odd_sine, &odd_cosine);
    const float to_even = args.back ? odd_sine : -even_sine;
    const float to_odd = args.back ? -even_sine : odd_sine;
    for (std::int64_t at = row * args.channels + c; at < (row + 1) * args.channels; at += args.head_dim) {
      const auto x = *reinterpret_cast<const Pack<T, 2>*>(args.x + at);
      const float even = to_float(x.values[0]) * args.scale, odd = to_float(x.values[1]) * args.scale;
      Pack<T, 2> y;
      y.values[0] = from_float<T>(fmaf(even, even_cosine, odd * to_even));
      y.values[1] = from_float<T>(fmaf(odd, odd_cosine, even * to_odd));
      *reinterpret_cast<Pack<T, 2>*>(args.y + at) = y;
    }
  }
}

}  // namespace device

template <class T>
void rotate(const RotaryArgs<T>& args, Stream stream) {
  device::launch("rotary", device::rotate_pairs<T>, device::elementwise_grid(args.rows * args.head_dim / 2),
                 stream, args);
}

template void rotate(const RotaryArgs<float>&, Stream);
template void rotate(const RotaryArgs<half>&, Stream);
template void rotate(const RotaryArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
