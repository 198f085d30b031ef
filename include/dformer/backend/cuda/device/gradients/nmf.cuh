#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/nmf_tile.cuh>
#include <dformer/backend/cuda/kernels/gradients/nmf.hpp>

namespace dformer::cuda {
namespace device {

template <class T>
__global__ void update_gradient(NmfUpdateGradientArgs<T> args) {
  const ProductTile tile;
  ProductSums more = {}, denominator = {};
  if (args.x.data != nullptr) {
    add_product<false, false>(tile.left(args.x, args.rows, args.depth), tile.right(args.right, args.rank),
                              args.depth, more);
  }
  if (args.next.data != nullptr) {
    add_product<false, false>(tile.left(args.next, args.rows, args.rank), tile.right(args.dsquare, args.rank),
                              args.rank, more);
  }
  add_product<false, false>(tile.left(args.values, args.rows, args.rank), tile.right(args.square, args.rank),
                            args.rank, denominator);
  for_each_sum(tile, args.rows, args.rank, [&](int i, int c, std::int64_t row, std::int64_t column) {
    float& gradient = element(args.gradient, tile.image, row, column);
    float whole = gradient + more[i][c];
    if (args.given.data != nullptr) whole += element(args.given, tile.image, row, column);
    const float inverse = 1.0f / (denominator[i][c] + 1e-6f);
    const float quotient = element(args.numerator, tile.image, row, column) * inverse;
    const float of_numerator = whole * element(args.values, tile.image, row, column) * inverse;
    element(args.dnumerator, tile.image, row, column) = of_numerator;
    element(args.ddenominator, tile.image, row, column) = -of_numerator * quotient;
    gradient = whole * quotient;
  });
}

/// A warp takes a row.
__global__ void start_gradient(NmfStartGradientArgs args) {
  const std::int64_t number = global_thread() / warp_size;
  if (number >= args.images * args.rows) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t image = number / args.rows, row = number % args.rows;
  const float* const coefficients = &element(args.coefficients, image, row, 0);
  const float* const gradient = &element(args.gradient, image, row, 0);
  float* const to = &element(args.dsimilarities, image, row, 0);
  float mean = 0.0f;
  for (std::int64_t r = lane; r < args.rank; r += warp_size) mean = fmaf(coefficients[r], gradient[r], mean);
  mean = warp_sum(mean);
  for (std::int64_t r = lane; r < args.rank; r += warp_size) {
    to[r] = fmaf(args.inv_t, coefficients[r] * (gradient[r] - mean), to[r]);
  }
}

}  // namespace device

template <class T>
void nmf_update_gradient(const NmfUpdateGradientArgs<T>& args, Stream stream) {
  const device::Grid grid{device::blocks_of(args.rows, device::product_rows), device::product_threads,
                          device::product_shared_bytes,
                          static_cast<int>(device::blocks_of(args.rank, device::product_columns)),
                          static_cast<int>(args.images)};
  device::launch("nmf gradient", device::update_gradient<T>, grid, stream, args);
}

void nmf_start_gradient(const NmfStartGradientArgs& args, Stream stream) {
  constexpr int threads = 128;
  device::launch("nmf gradient", device::start_gradient,
                 {device::blocks_of(args.images * args.rows, threads / device::warp_size), threads}, stream,
                 args);
}

template void nmf_update_gradient(const NmfUpdateGradientArgs<float>&, Stream);
template void nmf_update_gradient(const NmfUpdateGradientArgs<half>&, Stream);
template void nmf_update_gradient(const NmfUpdateGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
