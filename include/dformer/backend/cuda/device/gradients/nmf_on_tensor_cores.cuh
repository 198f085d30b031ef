#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/nmf_coefficients.cuh>
#include <dformer/backend/cuda/kernels/gradients/nmf_on_tensor_cores.hpp>

namespace dformer::cuda {
namespace device {

/// A block goes back through 48 rows, whose tile in shared memory is in turn the next coefficients, the
/// coefficients, and the gradient of their denominator. A thread has the same quads of all of them.
template <class T>
__global__ void __launch_bounds__(nmf_threads, 2) coefficients_gradient(NmfCoefficientsGradientArgs<T> args) {
  constexpr int quads = nmf_rows * nmf_rank / 4 / nmf_threads;
  const NmfLane lane;
  const std::int64_t image = blockIdx.y, first = static_cast<std::int64_t>(blockIdx.x) * nmf_rows;
  float* const parts = dynamic_shared<float>();
  float* const tile = parts + CoefficientsRing::bytes / sizeof(float);
  const int column = static_cast<int>(threadIdx.x) % (nmf_rank / 4) * 4;
  const auto row = [&](int i) { return static_cast<int>(threadIdx.x + i * nmf_threads) / (nmf_rank / 4); };
  const auto exists = [&](int i) { return first + row(i) < args.rows; };
  const auto given = [&](const auto& matrix, int i) {
    return pack_at<4>(row_of(matrix, image, first + row(i)) + column, exists(i));
  };
  const auto lay_down = [&](const ImageMatrix<const float>& matrix) {
    DFORMER_UNROLL
    for (int i = 0; i < quads; ++i) {
      *reinterpret_cast<Pack<float, 4>*>(tile + row(i) * nmf_step + column) = given(matrix, i);
    }
  };
  const auto made = [&](int i) { return quad(parts + row(i) * nmf_step + column); };

  NmfSquare square;
  Pack<float, 4> more[quads] = {};
  if (args.next.data != nullptr) {
    make_numerator<T>(args.x, args.dsums, args.rows, args.channels, image, first, parts);
    lay_down(args.next);
    square.load(row_of(args.dsquare, image, 0), args.dsquare.step, 8 * lane.warp);
    __syncthreads();
    DFORMER_UNROLL
    for (int i = 0; i < quads; ++i) {
      DFORMER_UNROLL
      for (int p = 0; p < nmf_depth_parts; ++p) {
        add_to(quad(parts + (p * nmf_rows + row(i)) * nmf_step + column), more[i]);
      }
    }
    __syncthreads();
    multiply_by_square<nmf_rows / 16>(tile, square, parts);
    __syncthreads();
    DFORMER_UNROLL
    for (int i = 0; i < quads; ++i) add_to(made(i), more[i]);
  }
  lay_down(args.values);
  square.load(row_of(args.gram, image, 0), args.gram.step, 8 * lane.warp);
  __syncthreads();
  multiply_by_square<nmf_rows / 16>(tile, square, parts);
  __syncthreads();

  DFORMER_UNROLL
  for (int i = 0; i < quads; ++i) {
    auto* const own = reinterpret_cast<Pack<float, 4>*>(tile + row(i) * nmf_step + column);
    const Pack<float, 4> values = *own, denominator = made(i), numerator = given(args.numerator, i),
                         gradient = given(args.gradient, i);
    Pack<float, 4> dnumerator, ddenominator;
    DFORMER_UNROLL
    for (int c = 0; c < 4; ++c) {
      const float whole = gradient.values[c] + more[i].values[c];
      const float inverse = 1.0f / (denominator.values[c] + 1e-6f);
      const float quotient = numerator.values[c] * inverse;
      dnumerator.values[c] = whole * values.values[c] * inverse;
      ddenominator.values[c] = rounded_to_tf32(-dnumerator.values[c] * quotient);
      more[i].values[c] = whole * quotient;
    }
    *own = ddenominator;
    if (!exists(i)) continue;
    *reinterpret_cast<Pack<float, 4>*>(row_of(args.numerator, image, first + row(i)) + column) = dnumerator;
    *reinterpret_cast<Pack<float, 4>*>(row_of(args.ddenominator, image, first + row(i)) + column) =
        ddenominator;
  }
  __syncthreads();
  multiply_by_square<nmf_rows / 16>(tile, square, parts);
  __syncthreads();
  DFORMER_UNROLL
  for (int i = 0; i < quads; ++i) {
    if (!exists(i)) continue;
    add_to(made(i), more[i]);
    *reinterpret_cast<Pack<float, 4>*>(row_of(args.gradient, image, first + row(i)) + column) = more[i];
  }
}

}  // namespace device

template <class T>
void nmf_coefficients_gradient(const NmfCoefficientsGradientArgs<T>& args, Stream stream) {
  device::launch("nmf gradient", device::coefficients_gradient<T>,
                 {device::blocks_of(args.rows, device::nmf_rows), device::nmf_threads,
                  device::coefficients_shared_bytes, static_cast<int>(args.images)},
                 stream, args);
}

template void nmf_coefficients_gradient(const NmfCoefficientsGradientArgs<half>&, Stream);
template void nmf_coefficients_gradient(const NmfCoefficientsGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
