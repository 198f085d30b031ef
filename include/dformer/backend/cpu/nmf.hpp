#pragma once

#include <algorithm>

#include <dformer/backend/cpu/kernels/kernels.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::cpu {

template <class T>
struct FactorizationOps {
  /// The matrix decomposition of the Hamburger (Geng et al., "Is Attention Better Than Matrix
  /// Decomposition?", ICLR 2021, section 2): x [N, T, D] is approximated by coefficients [T, R], which start
  /// as softmax(inv_t * x bases), times bases [N, D, R] ([1, D, R] for all images alike); `steps`
  /// multiplicative updates of both, one more of the coefficients, and their product [N, T, D]. Each step
  /// reads x once.
  /// Throws: ShapeError when the shapes disagree, ArgumentError when steps is negative.
  static Tensor<T> nmf(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t) {
    const Shape shape = shapes::nmf(x.shape(), bases.shape(), steps);
    const std::int64_t images = shape[0];
    const std::int64_t rank = bases.shape()[2];
    const Device& device = x.device();
    Tensor<T> y(device, shape);
    if (shape.numel() == 0) return y;

    NmfArgs<T> args{};
    args.x = x.data();
    args.y = y.data();
    args.rows = shape[1];
    args.channels = shape[2];
    args.channels_padded = round_up(shape[2]);
    args.rank = rank;
    args.width = round_up(rank);
    args.slices = std::clamp<std::int64_t>(args.rows / rows_per_slice, 1, most_slices);
    args.inv_t = static_cast<T>(inv_t);
    Tensor<T> padded(device, Shape{images, args.channels, args.width});
    Tensor<T> transposed(device, Shape{images, args.width, args.channels_padded});
    Tensor<T> gram(device, Shape{images, args.width, args.width});
    Tensor<T> coefficients(device, Shape{images, args.rows, args.width});
    Tensor<T> sums(device, Shape{images, args.slices, args.channels + args.width, args.width});
    args.bases = padded.data();
    args.bases_transposed = transposed.data();
    args.gram = gram.data();
    args.coefficients = coefficients.data();
    args.sums = sums.data();
    const std::int64_t given = bases.shape()[0];
    for (std::int64_t n = 0; n < images; ++n) {
      pad(bases.data() + n % given * args.channels * rank, args.channels, rank, args.width,
          args.bases + n * args.channels * args.width);
    }

    const KernelTable<T>& table = kernels<T>(device.isa());
    const auto run = [&](auto kernel, std::int64_t tasks) {
      run_with_scratch<T>(device, images * tasks, 2 * nmf_block_rows * args.width, args, kernel);
    };
    run(table.nmf_gram, tiles(args.width));
    args.first = true;
    for (int step = 0; step < steps; ++step) {
      run(table.nmf_rows, args.slices);
      run(table.nmf_reduce, args.channels + args.width);
      run(table.nmf_bases, tiles(args.channels));
      run(table.nmf_gram, tiles(args.width));
      args.first = false;
    }
    transpose(args, images, transposed.data());
    args.last = true;
    run(table.nmf_rows, args.slices);
    return y;
  }

 private:
  template <class>
  friend struct FactorizationGradientOps;  // cuts and pads alike

  static constexpr std::int64_t rows_per_slice = 288;
  static constexpr std::int64_t most_slices = 64;

  static std::int64_t round_up(std::int64_t count) {
    constexpr std::int64_t widest = 64 / sizeof(T);
    return (count + widest - 1) / widest * widest;
  }
  static std::int64_t tiles(std::int64_t rows) { return (rows + nmf_tile_rows - 1) / nmf_tile_rows; }

  static void pad(const T* from, std::int64_t rows, std::int64_t count, std::int64_t width, T* to) {
    for (std::int64_t i = 0; i < rows; ++i) {
      T* const row = to + i * width;
      std::fill(std::copy_n(from + i * count, count, row), row + width, T(0));
    }
  }

  static void transpose(const NmfArgs<T>& args, std::int64_t images, T* to) {
    std::fill_n(to, images * args.width * args.channels_padded, T(0));
    for (std::int64_t n = 0; n < images; ++n) {
      const T* const bases = args.bases + n * args.channels * args.width;
      T* const image = to + n * args.width * args.channels_padded;
      for (std::int64_t d = 0; d < args.channels; ++d) {
        for (std::int64_t r = 0; r < args.width; ++r) {
          image[r * args.channels_padded + d] = bases[d * args.width + r];
        }
      }
    }
  }
};

}  // namespace dformer::cpu
