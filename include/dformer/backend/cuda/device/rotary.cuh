#pragma once

#include <algorithm>

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/kernels/attention.hpp>

namespace dformer::cuda {
namespace device {

/// Images and heads turn alike. `slices` threads share them for each token and pair of channels.
template <class T>
struct RotarySlices {
  RotaryArgs<T> rotary;
  int heads;
  int turns;  ///< images * heads
  int slices;
};

/// A thread takes one pair of channels of one token, in one or some heads and images, so that sines and
/// cosines serve several; neighbouring threads take neighbouring pairs, then heads. Angles reach thousands:
/// sincosf reduces them exactly. Back is the transposed rotation, also where the two angles of a pair differ,
/// which those of the published networks do not.
template <class T>
__global__ void rotate_pairs(RotarySlices<T> args) {
  constexpr int in_flight = 4;
  using Pair = Pack<T, 2>;
  const RotaryArgs<T>& rotary = args.rotary;
  const auto pairs = static_cast<unsigned>(rotary.head_dim / 2);
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned channel = i % pairs * 2;
  i /= pairs;
  const int slice = static_cast<int>(i % static_cast<unsigned>(args.slices));
  const unsigned token = i / static_cast<unsigned>(args.slices);
  if (token >= rotary.tokens) return;

  const float even_angle = rotary.angle[channel], odd_angle = rotary.angle[channel + 1];
  const auto number = static_cast<float>(token);
  float even_sine, even_cosine;
  sincosf(__fmul_rn(number, even_angle), &even_sine, &even_cosine);
  float odd_sine = even_sine, odd_cosine = even_cosine;
  if (odd_angle != even_angle) sincosf(__fmul_rn(number, odd_angle), &odd_sine, &odd_cosine);
  const float to_even = rotary.back ? odd_sine : -even_sine;
  const float to_odd = rotary.back ? -even_sine : odd_sine;
  // Divided once, and not for each turn.
  int image = slice / args.heads, head = slice % args.heads;
  const int image_step = args.slices / args.heads, head_step = args.slices % args.heads;
  for (int first = slice; first < args.turns; first += in_flight * args.slices) {
    Pair x[in_flight];
    std::int64_t at[in_flight];
    DFORMER_UNROLL
    for (int k = 0; k < in_flight; ++k) {
      at[k] = (image * rotary.tokens + token) * rotary.channels + head * rotary.head_dim + channel;
      if (first + k * args.slices < args.turns) x[k] = *reinterpret_cast<const Pair*>(rotary.x + at[k]);
      head += head_step;
      const bool next_image = head >= args.heads;
      head -= next_image ? args.heads : 0;
      image += image_step + (next_image ? 1 : 0);
    }
    DFORMER_UNROLL
    for (int k = 0; k < in_flight; ++k) {
      if (first + k * args.slices >= args.turns) break;
      const float even = to_float(x[k].values[0]) * rotary.scale;
      const float odd = to_float(x[k].values[1]) * rotary.scale;
      Pair y;
      y.values[0] = from_float<T>(fmaf(even, even_cosine, odd * to_even));
      y.values[1] = from_float<T>(fmaf(odd, odd_cosine, even * to_odd));
      *reinterpret_cast<Pair*>(rotary.y + at[k]) = y;
    }
  }
}

}  // namespace device

/// As many threads as a large GPU holds at once where there is so much to do, and at most eight turns for
/// each.
template <class T>
void rotate(const RotaryArgs<T>& args, Stream stream) {
  constexpr int threads = 256;
  constexpr std::int64_t threads_wanted = 1 << 18, most_turns = 8;
  const std::int64_t pairs = args.tokens * args.head_dim / 2;  // of one head in one image
  if (pairs == 0) return;
  const std::int64_t heads = args.channels / args.head_dim, turns = args.rows / args.tokens * heads;
  const std::int64_t slices = std::min(
      turns, std::max(device::blocks_of(threads_wanted, pairs), device::blocks_of(turns, most_turns)));
  const device::RotarySlices<T> sliced{args, static_cast<int>(heads), static_cast<int>(turns),
                                       static_cast<int>(slices)};
  device::launch("rotary", device::rotate_pairs<T>, {device::blocks_of(pairs * slices, threads), threads},
                 stream, sliced);
}

template void rotate(const RotaryArgs<float>&, Stream);
template void rotate(const RotaryArgs<half>&, Stream);
template void rotate(const RotaryArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
