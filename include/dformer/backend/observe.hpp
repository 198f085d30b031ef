#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <dformer/backend/concept.hpp>

namespace dformer {

/// What an observer of a network is shown of an operation with an epilogue.
enum class Observed : std::uint8_t {
  operations,  ///< its result, epilogue and all: what the network goes on with
  modules,  ///< what each module of the network gives by itself: the sums with their bias, under the weight
            ///< of the layer, then normalised, under that of the norm. These are computed in addition.
};

/// A backend that shows every weighted operation's result to an observer, otherwise B itself. The operation
/// is known by its weight, which a network keeps in a named parameter; so each result has the name that the
/// checkpoints give it, and no network has to help.
template <class B>
struct Observe : B {
  using Tensor = typename B::Tensor;
  using Labels = typename B::Labels;
  using Device = typename B::Device;

 private:
  struct Observer {
    void* target = nullptr;
    void (*call)(void* target, const Tensor* weight, const Tensor& result) = nullptr;
    Observed what = Observed::operations;
    const Tensor* norm = nullptr;  ///< the weight of the norm that the next operation applies
    Tensor bias{};                 ///< of the next operation, where it goes through that norm

    bool sees() const { return call != nullptr; }
    bool sees_modules() const { return sees() && what == Observed::modules; }
    void show(const Tensor* weight, const Tensor& result) const { call(target, weight, result); }
  };

 public:
  /// While one lives, `seen(const Tensor* weight, const Tensor& result)` is called after each operation of
  /// this thread whose weight is the one at that address, in the order of computation.
  template <class Seen>
  class Scope {
   public:
    explicit Scope(Seen& seen, Observed what = Observed::operations)
        : outer_(std::exchange(current(), {&seen, &call, what, nullptr, {}})) {}
    ~Scope() { current() = std::move(outer_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    static void call(void* target, const Tensor* weight, const Tensor& result) {
      (*static_cast<Seen*>(target))(weight, result);
    }

    Observer outer_;
  };

  static Tensor linear(std::span<const Tensor> inputs, const Tensor& weight,
                       const Epilogue<Tensor>& epilogue) {
    return observe(weight, epilogue, [&](const auto& given) { return B::linear(inputs, weight, given); });
  }
  static Tensor conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                       const Epilogue<Tensor>& epilogue) {
    return observe(weight, epilogue, [&](const auto& given) { return B::conv2d(x, weight, window, given); });
  }
  static Tensor depthwise_conv2d(const Tensor& x, const Tensor& weight, const Window& window,
                                 const Epilogue<Tensor>& epilogue) {
    return observe(weight, epilogue,
                   [&](const auto& given) { return B::depthwise_conv2d(x, weight, window, given); });
  }
  static Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
    return show(weight, B::layer_norm(x, weight, bias, eps));
  }
  static Tensor nmf(const Tensor& x, const Tensor& bases, int steps, float inv_t) {
    return show(bases, B::nmf(x, bases, steps, inv_t));
  }

  static Affine<Tensor> batch_norm_affine(const Tensor& weight, const Tensor& bias, const Tensor& mean,
                                          const Tensor& variance, float eps) {
    if (current().sees_modules()) current().norm = &weight;
    return B::batch_norm_affine(weight, bias, mean, variance, eps);
  }
  /// A norm by itself, or the bias of the convolution before a norm on its way through it.
  static Tensor scale_shift(const Tensor& x, const Tensor& scale, const Tensor& shift) {
    Tensor result = B::scale_shift(x, scale, shift);
    if (!current().sees_modules() || current().norm == nullptr) return result;
    if (x.shape().rank() == 1) {
      current().bias = x;
    } else {
      current().show(std::exchange(current().norm, nullptr), result);
    }
    return result;
  }

 private:
  static Observer& current() {
    thread_local Observer observer;
    return observer;
  }
  static Tensor show(const Tensor& weight, Tensor result) {
    if (current().sees()) current().show(&weight, result);
    return result;
  }
  template <class Operation>
  static Tensor observe(const Tensor& weight, const Epilogue<Tensor>& epilogue, const Operation& operation) {
    if (current().sees_modules()) {
      const Tensor* norm = std::exchange(current().norm, nullptr);
      const Tensor bias = std::exchange(current().bias, {});
      const bool normalised = norm != nullptr && static_cast<bool>(epilogue.scale);
      current().show(&weight, operation(Epilogue<Tensor>{.shift = normalised ? bias : epilogue.shift}));
      if (normalised)
        current().show(norm, operation(Epilogue<Tensor>{.scale = epilogue.scale, .shift = epilogue.shift}));
      return operation(epilogue);
    }
    return show(weight, operation(epilogue));
  }
};

}  // namespace dformer
