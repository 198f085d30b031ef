#pragma once

// The loss and the optimiser's step.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "bench.hpp"
#include <dformer/backend/cuda/gradients/optimizer.hpp>
#include <dformer/backend/cuda/kernels/gradients/cross_entropy.hpp>
#include <dformer/backend/cuda/storage.hpp>

namespace dformer::benchmarks {

/// The kernels of the loss and of its gradient, without what the host does: counting and uploading labels.
template <class T>
class LossCall {
 public:
  LossCall(const Bench<T>& bench, const Shape& logits)
      : logits_(bench.noise(logits)),
        labels_(bench.device(), {logits[0], bench.sizes.image.height, bench.sizes.image.width}),
        table_(bench.channels(3 * logits[3])),
        size_(bench.sizes.image) {
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(labels_.elements()));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::uint8_t>(i / 16 % static_cast<std::size_t>(logits[3]));
    }
    bench.device().staging().upload(labels_.memory(), labels.data(), labels.size(), bench.device().stream());
  }

  cuda::Tensor<T> operator()() const {
    const Shape& x = logits_.shape();
    const cuda::Device& device = logits_.device();
    cuda::Tensor<T> gradient(device, x);
    cuda::CrossEntropyArgs<T> args{};
    args.logits = logits_.data();
    args.labels = labels_.data();
    args.gradient = gradient.data();
    args.total_weight = table_.full_data();
    args.target_weight = table_.full_data() + x[3];
    args.smoothing = table_.full_data() + 2 * x[3];
    args.rows = cuda::resize_axis(x[1], size_.height, false);
    args.columns = cuda::resize_axis(x[2], size_.width, false);
    args.images = x[0];
    args.classes = static_cast<int>(x[3]);
    args.ignore_index = 255;
    cuda::Tensor<float> corners(device, {args.cells(), 4, x[3]}), losses(device, {1 + args.blocks(), 2});
    args.corners = corners.data();
    args.loss = static_cast<double*>(losses.memory());
    args.losses = args.loss + 1;
    cuda::cross_entropy(args, device.stream());
    return gradient;
  }

 private:
  cuda::Tensor<T> logits_;
  cuda::Tensor<std::uint8_t> labels_;
  cuda::Tensor<T> table_;
  ImageBatch size_;
};

template <class T>
void measure_loss(Bench<T>& bench) {
  const Shape logits = bench.sizes.head(40);
  const ImageBatch& image = bench.sizes.image;
  const double pixels = static_cast<double>(image.batch * image.height * image.width);
  // At least one multiply-add for each class of each pixel there, and one back; the exponentials come on top.
  bench.measure("cross entropy and gradient", logits,
                {Bench<T>::bytes(2.0 * static_cast<double>(logits.numel())) + pixels, 80 * pixels},
                [&] { return LossCall<T>(bench, logits); });
}

/// Steps of weights with a float32 master: an MLP's, and as many as DFormer_Large has in all.
template <class T>
void measure_optimizer(Bench<T>& bench) {
  for (const Shape& shape : {Shape{1152, 288}, Shape{39000, 1000}}) {
    const auto count = static_cast<double>(shape.numel());
    const double rounded = sizeof(T) == sizeof(float) ? 0 : sizeof(T);
    const auto prepare = [&] {
      auto weight = bench.noise(shape);
      if constexpr (!std::is_same_v<T, float>) {
        weight.set_master(
            std::make_shared<cuda::Tensor<float>>(cuda::Noise<float>(bench.device()).tensor(shape)));
      }
      return [weight, gradient = bench.full(shape), mean = bench.full(shape),
              squares = bench.full(shape)]() mutable {
        cuda::OptimizerOps<T>::adamw(weight, gradient, mean, squares, {.lr = 1e-4});
        return weight;
      };
    };
    bench.measure("adamw", shape, {count * (7 * sizeof(float) + rounded)}, prepare, CallsAre::queued);
  }
}

}  // namespace dformer::benchmarks
