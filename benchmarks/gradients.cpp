// Gradients and training steps that memory bounds, on one thread, at shapes of DFormer_Large for images of
// 480 by 640; the columns are those of memory_bound.cpp. Operations that go over their operands twice,
// because sums over rows must be known first, have them counted once.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "memory_bound.hpp"
#include <dformer/backend/cpu/gradients/gradients.hpp>

namespace {

using dformer::Activation;
using dformer::Shape;
using dformer::benchmarks::add;
using dformer::benchmarks::filled;
using dformer::benchmarks::Tensor;
using Gradients = dformer::Gradients<dformer::Cpu<float>>;

void add_stage(const Shape& shape) {
  const std::string at = to_string(shape);
  const double bytes = 4.0 * static_cast<double>(shape.numel());
  const Tensor x = filled(shape), dy = filled(shape), weight = filled({shape[3]});
  const auto statistics = Gradients::batch_statistics(x);
  add("layer_norm" + at, {3 * bytes}, [=] { Gradients::layer_norm(x, weight, dy, 1e-6f); });
  add("batch_statistics" + at, {bytes}, [=] { Gradients::batch_statistics(x); });
  add("batch_norm" + at, {3 * bytes}, [=] { Gradients::batch_norm(x, weight, statistics, 1e-5f, dy); });
  add("gelu" + at, {3 * bytes}, [=] { Gradients::activation(x, Activation::gelu, dy); });
  add("relu" + at, {3 * bytes}, [=] { Gradients::activation(x, Activation::relu, dy); });
  add("softmax" + at, {3 * bytes}, [=] { Gradients::softmax(x, dy); });
  add("channel_sums" + at, {bytes}, [=] { Gradients::channel_sums(x); });
  add("channel_products" + at, {2 * bytes}, [=] { Gradients::channel_products(x, dy); });
  add("scale_channels" + at, {2 * bytes}, [=] { Gradients::scale_channels(x, weight); });
  const std::vector<float> factors{0.5f, 1.5f, 0, 1, 1, 1, 1, 1};
  add("scale_samples" + at, {2 * bytes}, [=] { Gradients::scale_samples(x, factors); });
  const std::array<std::int64_t, 2> halves{shape[3] / 2, shape[3] / 2};
  add("split" + at, {2 * bytes}, [=] { Gradients::split(x, halves); });
  Tensor sum = filled(shape);
  add("add_to" + at, {3 * bytes}, [=]() mutable { Gradients::add_to(sum, x); });
  add("resize_from_7" + at, {bytes}, [=] { Gradients::resize_bilinear(dy, 7, 7, false); });
  const Tensor pooled = filled({shape[0], 7, 7, shape[3]});
  add("pool_to_7" + at, {bytes}, [=] { Gradients::adaptive_avg_pool(pooled, shape[1], shape[2]); });
}

void add_heads() {
  const Tensor dy = filled({1, 60, 80, 512}), few = filled({1, 120, 160, 40}),
               odd = filled({1, 120, 160, 37});
  const double bytes = 4.0 * 60 * 80 * 512;
  add("resize_from_30x40/512_channels", {1.25 * bytes},
      [=] { Gradients::resize_bilinear(dy, 30, 40, false); });
  add("resize_from_15x20/512_channels", {1.0625 * bytes},
      [=] { Gradients::resize_bilinear(dy, 15, 20, false); });
  add("channel_sums/40_channels", {4.0 * 120 * 160 * 40}, [=] { Gradients::channel_sums(few); });
  add("channel_sums/37_channels", {4.0 * 120 * 160 * 37}, [=] { Gradients::channel_sums(odd); });
  add("layer_norm/37_channels", {12.0 * 120 * 160 * 37},
      [=] { Gradients::layer_norm(odd, filled({37}), odd, 1e-6f); });
  const Tensor logits = filled({1, 60, 80, 40});
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 480 * 640; ++i) {
    labels.push_back(static_cast<std::uint8_t>((i / 640 / 40 * 7 + i % 640 / 40 * 3) % 40));
  }
  add("cross_entropy/40_classes", {4.0 * 480 * 640 * 40},
      [=] { Gradients::cross_entropy(logits, labels, 480, 640, {}); });
}

void add_steps() {
  Tensor value = filled({4 << 20}), mean = Gradients::zeros_like(value), squares = mean;
  squares = Gradients::zeros_like(value);
  const Tensor gradient = filled({4 << 20});
  const double bytes = 4.0 * (4 << 20);
  add("adamw", {7 * bytes},
      [=]() mutable { Gradients::adamw(value, gradient, mean, squares, {.lr = 1e-4, .step = 3}); });
  add("sgd", {5 * bytes}, [=]() mutable { Gradients::sgd(value, gradient, mean, {.lr = 1e-4}); });
  add("average_to", {3 * bytes}, [=]() mutable { Gradients::average_to(mean, gradient, 0.999); });
  add("sum_of_squares", {bytes}, [=] { Gradients::sum_of_squares(gradient); });
}

}  // namespace

int main(int argc, char** argv) {
  for (const Shape& stage : {Shape{8, 120, 160, 96}, {8, 60, 80, 192}, {8, 30, 40, 288}, {8, 15, 20, 576}}) {
    add_stage(stage);
  }
  add_heads();
  add_steps();
  return dformer::benchmarks::run(argc, argv);
}
