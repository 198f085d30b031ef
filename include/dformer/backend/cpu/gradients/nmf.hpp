#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
#include <dformer/backend/cpu/matrix_product.hpp>
#include <dformer/backend/cpu/nmf.hpp>
#include <dformer/backend/cpu/scratch.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

template <class T>
struct FactorizationGradientOps {
  /// Of nmf(x [N, T, D], bases, steps, inv_t) with respect to x, given dy [N, T, D], through all steps; the
  /// bases are constants. The steps are made again, and of each row 2 steps + 1 times R elements are kept
  /// until the end; a few images at a time.
  /// Throws: ShapeError when the shapes disagree, ArgumentError when steps is negative.
  static Tensor<T> nmf(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t,
                       const Tensor<T>& dy) {
    const Shape shape = shapes::nmf_gradient(x.shape(), bases.shape(), steps, dy.shape());
    const std::int64_t images = shape[0];
    const std::int64_t rows = shape[1];
    Tensor<T> dx(x.device(), shape);
    if (shape.numel() == 0) return dx;
    const std::int64_t together = std::clamp<std::int64_t>(rows_together / rows, 1, images);
    for (std::int64_t n = 0; n < images; n += together) {
      Images(x, bases, steps, inv_t, dy, n, std::min(together, images - n)).run(dx);
    }
    return dx;
  }

 private:
  using Forward = FactorizationOps<T>;
  static constexpr std::int64_t rows_together = 9600;

  /// Some images on their way there and back.
  class Images {
   public:
    Images(const Tensor<T>& x, const Tensor<T>& bases, int steps, float inv_t, const Tensor<T>& dy,
           std::int64_t first, std::int64_t count)
        : device_(x.device()), first_(first), count_(count) {
      args_.rows = x.shape()[1];
      args_.channels = x.shape()[2];
      args_.rank = bases.shape()[2];
      args_.width = Forward::round_up(args_.rank);
      args_.slices = std::clamp<std::int64_t>(args_.rows / Forward::rows_per_slice, 1, Forward::most_slices);
      args_.inv_t = static_cast<T>(inv_t);
      args_.x = x.data() + first * args_.rows * args_.channels;
      args_.dy = dy.data() + first * args_.rows * args_.channels;
      args_.steps = steps;
      args_.history_width = (2 * args_.steps + 1) * args_.width;
      args_.image_bases = count * args_.channels * args_.width;

      const std::int64_t width = args_.width;
      const std::int64_t channels = args_.channels;
      bases_ = Tensor<T>(device_, Shape{args_.steps + 1, count, channels, width});
      gram_ = Tensor<T>(device_, Shape{args_.steps + 1, count, width, width});
      found_ = Tensor<T>(device_, Shape{args_.steps, count, channels + width, width});
      sums_ = Tensor<T>(device_, Shape{count, args_.slices, channels + width, width});
      history_ = Tensor<T>(device_, Shape{count, args_.rows, args_.history_width});
      dcoefficients_ = Tensor<T>(device_, Shape{count, args_.rows, width});
      dbases_ = Tensor<T>(device_, Shape{count, channels, width});
      dnumerators_ = Tensor<T>(device_, Shape{args_.steps, count, channels, width});
      ddenominators_ = Tensor<T>(device_, dbases_.shape());
      dgram_ = Tensor<T>(device_, Shape{count, width, width});
      weights_ = Tensor<T>(device_, Shape{count, panels_of(channels), args_.history_width, panel_width});
      args_.sums = sums_.data();
      args_.history = history_.data();
      args_.dcoefficients = dcoefficients_.data();
      args_.dbases = dbases_.data();
      args_.ddenominators = ddenominators_.data();
      args_.dgram = dgram_.data();
      args_.weights = weights_.data();
      for (std::int64_t n = 0; n < count; ++n) {
        Forward::pad(bases.data() + (first + n) % bases.shape()[0] * channels * args_.rank, channels,
                     args_.rank, width, bases_.data() + n * channels * width);
      }
    }

    void run(Tensor<T>& dx) {
      const std::int64_t channels = args_.channels;
      const std::int64_t width = args_.width;
      for (std::int64_t step = 0; step <= args_.steps; ++step) {
        at(step);
        launch(forward_.nmf_gram, Forward::tiles(width));
        if (step < args_.steps) take_step(step);
      }
      std::fill_n(args_.dbases, args_.image_bases, T(0));
      for (std::int64_t step = args_.steps;; --step) {
        at(step);
        launch(table_.nmf_rows, args_.slices);
        if (step == 0) break;
        launch(forward_.nmf_reduce, channels + width);
        symmetrize(args_.sums + channels * width, args_.slices * (channels + width) * width);
        at(step - 1);
        args_.next_bases = bases_.data() + step * args_.image_bases;
        launch(table_.nmf_bases, Forward::tiles(channels));
        launch(table_.nmf_gram, Forward::tiles(width));
        symmetrize(args_.dgram, width * width);
      }
      args_.bases = bases_.data();
      args_.dnumerators = dnumerators_.data();
      launch(table_.nmf_weights, panels_of(channels));
      const std::int64_t image = args_.rows * channels;
      for (std::int64_t n = 0; n < count_; ++n) {
        multiply_rows(
            device_,
            MatrixProductArgs<T>{args_.history + n * args_.rows * args_.history_width,
                                 args_.weights + n * weights_.shape()[1] * args_.history_width * panel_width,
                                 args_.rows, args_.history_width, dx.data() + (first_ + n) * image, channels,
                                 EpilogueArgs<T>{}});
      }
    }

   private:
    /// Points to what belongs to a step.
    void at(std::int64_t step) {
      const std::int64_t width = args_.width;
      args_.step = step;
      args_.bases = bases_.data() + step * args_.image_bases;
      args_.gram = gram_.data() + step * count_ * width * width;
      if (step == args_.steps) return;
      args_.found = found_.data() + step * count_ * (args_.channels + width) * width;
      args_.dnumerators = dnumerators_.data() + step * args_.image_bases;
    }

    /// Forward, keeping what is found on the way.
    void take_step(std::int64_t step) {
      const std::int64_t found = (args_.channels + args_.width) * args_.width;
      launch(table_.nmf_history, args_.slices);
      launch(forward_.nmf_reduce, args_.channels + args_.width);
      for (std::int64_t n = 0; n < count_; ++n) {
        std::copy_n(args_.sums + n * args_.slices * found, found,
                    found_.data() + (step * count_ + n) * found);
      }
      std::copy_n(args_.bases, args_.image_bases, args_.bases + args_.image_bases);
      at(step + 1);
      launch(forward_.nmf_bases, Forward::tiles(args_.channels));
    }

    /// Every image's square: itself and its transposed, for a matrix that is on both sides of a product.
    void symmetrize(T* squares, std::int64_t stride) {
      const std::int64_t width = args_.width;
      for (std::int64_t n = 0; n < count_; ++n) {
        T* const square = squares + n * stride;
        for (std::int64_t i = 0; i < width; ++i) {
          for (std::int64_t j = 0; j <= i; ++j) {
            square[i * width + j] = square[j * width + i] = square[i * width + j] + square[j * width + i];
          }
        }
      }
    }

    template <class Kernel>
    void launch(Kernel kernel, std::int64_t tasks) {
      run_with_scratch<T>(device_, count_ * tasks, 3 * nmf_block_rows * args_.width, args_, kernel);
    }

    const Device device_;
    const KernelTable<T>& forward_ = kernels<T>(device_.isa());
    const GradientTable<T>& table_ = gradient_kernels<T>(device_.isa());
    const std::int64_t first_;
    const std::int64_t count_;
    NmfGradientArgs<T> args_{};
    Tensor<T> bases_;  // of every step
    Tensor<T> gram_;   // of every step
    Tensor<T> found_;  // sums, of every step
    Tensor<T> sums_;
    Tensor<T> history_;
    Tensor<T> dcoefficients_;
    Tensor<T> dbases_;
    Tensor<T> dnumerators_;  // of every step
    Tensor<T> ddenominators_;
    Tensor<T> dgram_;
    Tensor<T> weights_;
  };
};

}  // namespace dformer::cpu
