#pragma once

#include <dformer/backend/cuda/device/launch.cuh>
#include <dformer/backend/cuda/device/resize_tap.cuh>
#include <dformer/backend/cuda/kernels/resample.hpp>

namespace dformer::cuda {
namespace device {

/// The columns of the input that a block's pixels, neighbours in a row of the result, lie between. Where the
/// row grows they are neighbours too, and shared by pixels; where it shrinks each pixel has its own two.
struct ColumnSlots {
  const ResizeAxis& axis;
  int first_pixel;
  int pixels;
  bool shared;
  int base;

  __device__ __forceinline__ ColumnSlots(const ResizeAxis& columns, int first, int count)
      : axis(columns),
        first_pixel(first),
        pixels(count),
        shared(columns.scale < 2.0f),
        base(resize_tap(columns, first).first) {}

  /// At most two for each pixel.
  __device__ __forceinline__ int count() const {
    return shared ? resize_tap(axis, first_pixel + pixels - 1).second - base + 1 : 2 * pixels;
  }
  __device__ __forceinline__ int column(int slot) const {
    if (shared) return base + slot;
    const ResizeTap tap = resize_tap(axis, first_pixel + slot / 2);
    return slot % 2 == 0 ? tap.first : tap.second;
  }
  __device__ __forceinline__ int left(int pixel, const ResizeTap& tap) const {
    return shared ? tap.first - base : 2 * pixel;
  }
  __device__ __forceinline__ int right(int pixel, const ResizeTap& tap) const {
    return shared ? tap.second - base : 2 * pixel + 1;
  }
};

constexpr int argmax_pixels = 128;  // of a row, a thread each
constexpr int argmax_classes = 47;  // at a time: with a shared line of 2 * 128 columns, within 48 KiB

template <class T>
struct ArgmaxRowArgs {
  ResizeArgmaxArgs<T> resize;
  int row_blocks;  ///< blocks that make one row of the result
};

/// A block brings the logits at its columns down to its row, once for all pixels between them, and keeps them
/// in shared memory; each thread then has one multiply-add and a comparison for each class, which is what
/// bounds it. Lines of an odd length keep the columns that a warp reads in different banks.
template <class T>
__global__ void __launch_bounds__(argmax_pixels) argmax_rows(ArgmaxRowArgs<T> rows) {
  const ResizeArgmaxArgs<T>& args = rows.resize;
  const int y_row = static_cast<int>(blockIdx.x) / rows.row_blocks;
  const int first = static_cast<int>(blockIdx.x) % rows.row_blocks * argmax_pixels;
  const int pixel = static_cast<int>(threadIdx.x);
  const int pixels = min(argmax_pixels, args.columns.output - first);
  const ColumnSlots slots(args.columns, first, pixels);
  const int slot_count = slots.count();
  const ResizeTap row = resize_tap(args.rows, y_row % args.rows.output);
  const std::int64_t image = y_row / args.rows.output;
  const std::int64_t length = std::int64_t{args.columns.input} * args.classes;
  const T* const upper = args.logits + (image * args.rows.input + row.first) * length;
  const T* const lower = args.logits + (image * args.rows.input + row.second) * length;
  const ResizeTap tap = resize_tap(args.columns, first + min(pixel, pixels - 1));
  const int left = slots.left(pixel, tap), right = slots.right(pixel, tap);

  float* const line = dynamic_shared<float>();  // [slots][classes of one pass]
  float top = -INFINITY;
  int label = 0;
  for (int begin = 0; begin < args.classes; begin += argmax_classes) {
    const int count = min(argmax_classes, args.classes - begin);
    const int step = count | 1;
    if (begin > 0) __syncthreads();
    for (int i = pixel; i < slot_count * count; i += argmax_pixels) {
      const int slot = i / count, c = i % count;
      const std::int64_t at = std::int64_t{slots.column(slot)} * args.classes + begin + c;
      line[slot * step + c] = interpolated(to_float(upper[at]), to_float(lower[at]), row.weight);
    }
    __syncthreads();
    if (pixel >= pixels) continue;
    const float* const l = line + left * step;
    const float* const r = line + right * step;
    for (int c = 0; c < count; ++c) {
      const float value = interpolated(l[c], r[c], tap.weight);
      if (value > top) {
        top = value;
        label = begin + c;
      }
    }
  }
  if (pixel < pixels) {
    args.y[std::int64_t{y_row} * args.columns.output + first + pixel] = static_cast<std::uint8_t>(label);
  }
}

}  // namespace device

template <class T>
void resize_argmax(const ResizeArgmaxArgs<T>& args, Stream stream) {
  using namespace device;
  // The columns between which 128 pixels lie, and one more on each side for rounding.
  const ArgmaxRowArgs<T> rows{args, static_cast<int>(blocks_of(args.columns.output, argmax_pixels))};
  const int pixels = args.columns.output < argmax_pixels ? args.columns.output : argmax_pixels;
  const int between = static_cast<int>(args.columns.scale * static_cast<float>(pixels)) + 4;
  const int slots = between < 2 * pixels + 4 ? between : 2 * pixels + 4;
  const int classes = (args.classes < argmax_classes ? args.classes : argmax_classes) | 1;
  launch("resize_argmax", argmax_rows<T>,
         {args.images * args.rows.output * rows.row_blocks, argmax_pixels,
          static_cast<std::size_t>(slots * classes) * sizeof(float)},
         stream, rows);
}

template void resize_argmax(const ResizeArgmaxArgs<float>&, Stream);
template void resize_argmax(const ResizeArgmaxArgs<half>&, Stream);
template void resize_argmax(const ResizeArgmaxArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
