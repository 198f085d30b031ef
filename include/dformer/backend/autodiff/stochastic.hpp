#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/autodiff/tensor.hpp>
#include <dformer/backend/gradients.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/random.hpp>

/// What is random in a forward pass of training: paths and channels that are left out.
namespace dformer::autodiff {

/// The numbers that this thread's forward passes draw: those of one step of one run, one after the other. A
/// pass that is repeated from the same state draws the same.
inline RandomStream& forward_random() {
  thread_local RandomStream random(0, 0);
  return random;
}

/// While it lives, passes on this thread draw the numbers of a step: what a resumed run draws as well.
class ForwardRandom {
 public:
  ForwardRandom(std::uint64_t seed, std::uint64_t step) : outer_(forward_random()) {
    forward_random() = RandomStream(seed, step);
  }
  explicit ForwardRandom(const RandomStream& state) : outer_(forward_random()) { forward_random() = state; }
  ~ForwardRandom() { forward_random() = outer_; }
  ForwardRandom(const ForwardRandom&) = delete;
  ForwardRandom& operator=(const ForwardRandom&) = delete;

 private:
  RandomStream outer_;
};

/// Whether this thread is computing something again for backward, so that what a pass changes beside its
/// result (running statistics) is left alone.
inline bool& forward_is_repeated() {
  thread_local bool repeated = false;
  return repeated;
}

/// While it lives, passes on this thread repeat one that began with these random numbers.
class RepeatedForward {
 public:
  explicit RepeatedForward(const RandomStream& random)
      : random_(random), outer_(std::exchange(forward_is_repeated(), true)) {}
  ~RepeatedForward() { forward_is_repeated() = outer_; }
  RepeatedForward(const RepeatedForward&) = delete;
  RepeatedForward& operator=(const RepeatedForward&) = delete;

 private:
  ForwardRandom random_;
  bool outer_;
};

/// x with `count` factors on its samples or their channels: each 0 with the probability p, else 1 / (1 - p).
template <class B>
Tensor<B> drop(const Tensor<B>& x, float p, std::int64_t count, const char* what) {
  if (p == 0.0f) return x;
  if (!(p > 0.0f && p < 1.0f)) {
    throw_argument_error(std::string("[") + what +
                         "] a probability of 0 or more and less than 1 expected, got " + std::to_string(p));
  }
  std::vector<float> factors(static_cast<std::size_t>(count));
  for (float& factor : factors) factor = forward_random().chance(p) ? 0.0f : 1.0f / (1.0f - p);
  auto y = Gradients<B>::scale_samples(x.value(), factors);
  return record<B>(std::move(y), {&x},
                   [factors = std::move(factors)](const typename B::Tensor& dy, Parents<B>& to) {
                     to.give(0, Gradients<B>::scale_samples(dy, factors));
                   });
}

/// Stochastic depth (Huang et al., ECCV 2016): each sample of x [N, ...] is left out with probability p, and
/// what stays is divided by 1 - p.
template <class B>
Tensor<B> drop_path(const Tensor<B>& x, float p) {
  return drop(x, p, x.shape()[0], "drop_path");
}

/// The same for each channel of each sample of x [N, ..., C] (PyTorch's Dropout2d).
template <class B>
Tensor<B> dropout2d(const Tensor<B>& x, float p) {
  return drop(x, p, x.shape()[0] * x.shape().back(), "dropout2d");
}

}  // namespace dformer::autodiff
