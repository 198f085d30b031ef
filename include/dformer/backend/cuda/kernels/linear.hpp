#pragma once

#include <cstdint>

#include <dformer/backend/cuda/kernels/epilogue.hpp>
#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

// Launchers of the kernels in device/linear.cuh, for T half and bfloat16.
namespace dformer::cuda {

/// y [rows, columns] = the inputs, side by side [rows, depth], times weight [columns, depth] transposed, with
/// an epilogue.
template <class T>
struct LinearArgs {
  static constexpr int most_inputs = 4;
  struct Input {
    const T* data;
    int channels;
  };
  Input inputs[most_inputs];
  int input_count;
  const T* weight;
  T* y;
  EpilogueOperands<T> epilogue;
  std::int64_t rows;
  int columns;
  int depth;

  /// What the kernels take: 16 bytes at a time.
  bool fits() const {
    if (input_count > most_inputs || columns % 8 != 0) return false;
    for (int i = 0; i < input_count; ++i) {
      if (inputs[i].channels % 8 != 0) return false;
    }
    return true;
  }
};
/// args.fits(), on a device with tensor cores.
template <class T>
void linear(const LinearArgs<T>& args, Stream stream);

}  // namespace dformer::cuda
