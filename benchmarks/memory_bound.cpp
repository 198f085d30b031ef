// Elementwise, normalising, resampling and depthwise kernels of the CPU on one thread, at the shapes that
// DFormer_Large has for images of 480 by 640. Of all iterations the one of least processor time counts. GB/s
// has every operand and the result once; of_copy is the time in which the same run copies as many bytes, by
// the time of the operation: 1 is as fast as memory goes.

#include "memory_bound.hpp"

#include <array>
#include <cstdint>
#include <string>

#include <dformer/backend/cpu/depthwise_conv2d.hpp>
#include <dformer/backend/cpu/norm.hpp>
#include <dformer/backend/cpu/pointwise.hpp>
#include <dformer/backend/cpu/resample.hpp>

namespace {

using dformer::Activation;
using dformer::Epilogue;
using dformer::Shape;
using dformer::Window;
using dformer::benchmarks::add;
using dformer::benchmarks::filled;
using dformer::benchmarks::Tensor;
using Depthwise = dformer::cpu::DepthwiseOps<float>;
using Norm = dformer::cpu::NormOps<float>;
using Pointwise = dformer::cpu::PointwiseOps<float>;
using Resample = dformer::cpu::ResampleOps<float>;

/// Logits whose largest class is the same over patches of the image, as those of a network.
Tensor segmented(const Shape& shape, std::int64_t patch) {
  Tensor logits = filled(shape);
  for (std::int64_t pixel = 0; pixel < shape.rows(); ++pixel) {
    const std::int64_t row = pixel / shape[2], column = pixel % shape[2];
    logits.data()[pixel * shape[3] + (row / patch * 7 + column / patch * 3) % shape[3]] += 5.0f;
  }
  return logits;
}

void add_depthwise(const Shape& shape, int kernel, bool mlp) {
  const Tensor x = filled(shape);
  const Tensor weight = filled({shape[3], 1, kernel, kernel});
  Epilogue<Tensor> epilogue{.shift = filled({shape[3]})};
  if (mlp) {
    epilogue.residual = x;
    epilogue.final_activation = Activation::gelu;
  }
  const auto elements = static_cast<double>(shape.numel());
  const Window window{.kernel = kernel, .padding = kernel / 2};
  add("depthwise_" + std::to_string(kernel) + (mlp ? "_residual_gelu" : "") + to_string(shape),
      {8 * elements, 2 * kernel * kernel * elements},
      [=] { Depthwise::depthwise_conv2d(x, weight, window, epilogue); });
}

void add_stage(const Shape& shape) {
  const std::string at = to_string(shape);
  const auto elements = static_cast<double>(shape.numel());
  const Tensor x = filled(shape), other = filled(shape);
  const Tensor half = filled(shape.with_back(shape[3] / 2));
  const Tensor channels = filled({shape[3]});
  const std::array pair{x, half};
  add_depthwise(shape, 7, false);
  add_depthwise(shape.with_back(shape[1] > 30 ? 8 * shape[3] : 4 * shape[3]), 3, true);
  add("layer_norm" + at, {8 * elements}, [=] { Norm::layer_norm(x, channels, channels, 1e-6f); });
  add("scale_shift" + at, {8 * elements}, [=] { Norm::scale_shift(x, channels, channels); });
  add("gelu" + at, {8 * elements}, [=] { Pointwise::activate(x, Activation::gelu); });
  add("multiply" + at, {12 * elements}, [=] { Pointwise::multiply(x, other); });
  add("concat" + at, {12 * elements}, [=] { Pointwise::concat(pair); });
  add("softmax" + at, {8 * elements}, [=] { Pointwise::softmax(x); });
  add("pool_to_7" + at, {6 * elements}, [=] { Resample::adaptive_avg_pool(pair, 7, 7); });
  const Tensor pooled = filled({1, 7, 7, shape[3] / 2});
  add("resize_from_7" + at, {2 * elements},
      [=] { Resample::resize_bilinear(pooled, shape[1], shape[2], false); });
}

void add_logits() {
  const Shape shape{1, 60, 80, 40};
  const double bytes = 4.0 * static_cast<double>(shape.numel()) + 480 * 640;
  const Tensor noise = filled(shape), small = segmented(shape, 4), large = segmented(shape, 12);
  add("resize_argmax/noise", {bytes}, [=] { Resample::resize_argmax(noise, 480, 640); });
  add("resize_argmax/patches_of_4", {bytes}, [=] { Resample::resize_argmax(small, 480, 640); });
  add("resize_argmax/patches_of_12", {bytes}, [=] { Resample::resize_argmax(large, 480, 640); });
  add("resize_bilinear/logits", {4.0 * 480 * 640 * 40},
      [=] { Resample::resize_bilinear(large, 480, 640, false); });
}

}  // namespace

int main(int argc, char** argv) {
  for (const Shape& stage : {Shape{1, 120, 160, 96}, {1, 60, 80, 192}, {1, 30, 40, 288}, {1, 15, 20, 576}}) {
    add_stage(stage);
  }
  add_logits();
  return dformer::benchmarks::run(argc, argv);
}
