#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include <dformer/backend/gradients.hpp>
#include <dformer/losses/loss.hpp>

/// Losses that backends do not compute themselves: their arithmetic is on the host, from the logits at the
/// labels' size. That costs two arrays of floats of N * height * width * K.
namespace dformer {

/// Runs body(0) ... body(count - 1), on the threads of a device that lends them (the CPU's), or on one for
/// each processor. Which thread runs which is not fixed, so what one does must not depend on another. The
/// body must not throw.
class HostThreads {
 public:
  using Body = std::function<void(std::int64_t)>;

  template <class Device>
  explicit HostThreads(const Device& device) {
    const auto each = [](const Body& body) {
      return [&body](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body(i);
      };
    };
    if constexpr (requires(const Body& body) { device.parallel_for(std::int64_t{1}, each(body)); }) {
      run_ = [device, each](std::int64_t count, const Body& body) { device.parallel_for(count, each(body)); };
    } else {
      run_ = &on_all_processors;
    }
  }

  void for_each(std::int64_t count, const Body& body) const { run_(count, body); }

 private:
  static void on_all_processors(std::int64_t count, const Body& body) {
    std::atomic<std::int64_t> next{0};
    const auto work = [&] {
      for (std::int64_t i = next++; i < count; i = next++) body(i);
    };
    const auto processors = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
    std::vector<std::jthread> others;
    try {
      for (std::int64_t i = 1; i < std::min(count, processors); ++i) others.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads to be had; those that there are do all of it.
    }
    work();
  }

  std::function<void(std::int64_t, const Body&)> run_;
};

/// Class scores of every pixel of a batch, or what a loss makes of them in their place, and room for the
/// gradient with respect to them. Shapes: [images, pixels, classes] each.
struct HostScores {
  std::span<float> values;
  std::span<float> gradient;
  std::int64_t images;
  std::int64_t pixels;
  std::int64_t classes;

  std::span<float> row(std::int64_t pixel) const { return row_of(values, pixel); }
  std::span<float> gradient_row(std::int64_t pixel) const { return row_of(gradient, pixel); }

 private:
  std::span<float> row_of(std::span<float> array, std::int64_t pixel) const {
    return array.subspan(static_cast<std::size_t>(pixel * classes), static_cast<std::size_t>(classes));
  }
};

/// Pixels are worked on in blocks of one image each. Sums are made for each block and then added in order, so
/// that they do not depend on the number of threads.
struct PixelBlocks {
  std::int64_t images;
  std::int64_t pixels;  ///< of one image
  static constexpr std::int64_t size = 4096;

  std::int64_t per_image() const { return (pixels + size - 1) / size; }
  std::int64_t count() const { return images * per_image(); }
  std::int64_t image(std::int64_t block) const { return block / per_image(); }
  /// Numbered over the whole batch.
  std::int64_t begin(std::int64_t block) const { return image(block) * pixels + block % per_image() * size; }
  std::int64_t end(std::int64_t block) const {
    return std::min(begin(block) + size, (image(block) + 1) * pixels);
  }
};

/// Brings the logits [N, h, w, K] to height and width and to the host, lets `loss(scores, threads)` return
/// the value and fill the gradient, which is zero before, and takes that, times gradient_scale, back to the
/// logits' size and device.
template <class B, class HostLoss>
LossValue<TensorOf<B>> loss_on_host(const TensorOf<B>& logits, std::int64_t height, std::int64_t width,
                                    double gradient_scale, const HostLoss& loss) {
  const Shape& x = logits.shape();
  const bool same_size = x[1] == height && x[2] == width;
  const Shape full{x[0], height, width, x[3]};
  std::vector<float> values(static_cast<std::size_t>(full.numel()));
  B::to_host(same_size ? logits : B::resize_bilinear(logits, height, width, false), values);
  std::vector<float> gradient(values.size());
  const double value =
      loss(HostScores{values, gradient, x[0], height * width, x[3]}, HostThreads(logits.device()));
  if (gradient_scale != 1.0) {
    for (float& each : gradient) each *= static_cast<float>(gradient_scale);
  }
  const TensorOf<B> dy = B::from_host(logits.device(), full, gradient);
  return {value, same_size ? dy : Gradients<B>::resize_bilinear(dy, x[1], x[2], false)};
}

}  // namespace dformer
