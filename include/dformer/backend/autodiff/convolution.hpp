#pragma once

#include <dformer/backend/autodiff/linear.hpp>
#include <dformer/backend/window.hpp>

namespace dformer::autodiff {

template <class B, bool training>
struct ConvolutionOps {
  using T = Tensor<B>;
  using Value = typename B::Tensor;
  using G = Gradients<B>;

  static T conv2d(const T& x, const T& weight, const Window& window, const Epilogue<T>& epilogue) {
    return convolution<Dense>(x, weight, window, epilogue);
  }
  static T depthwise_conv2d(const T& x, const T& weight, const Window& window, const Epilogue<T>& epilogue) {
    return convolution<Depthwise>(x, weight, window, epilogue);
  }

 private:
  struct Dense {
    static Value forward(const Value& x, const Value& weight, const Window& window,
                         const Epilogue<Value>& epilogue) {
      return B::conv2d(x, weight, window, epilogue);
    }
    static Value input(const Value& dy, const Value& weight, const Window& window, const Shape& x) {
      return G::conv2d_input(dy, weight, window, x);
    }
    static Value weight(const Value& x, const Value& dy, const Window& window, const Shape& shape) {
      return G::conv2d_weight(x, dy, window, shape);
    }
  };
  struct Depthwise {
    static Value forward(const Value& x, const Value& weight, const Window& window,
                         const Epilogue<Value>& epilogue) {
      return B::depthwise_conv2d(x, weight, window, epilogue);
    }
    static Value input(const Value& dy, const Value& weight, const Window& window, const Shape& x) {
      return G::depthwise_conv2d_input(dy, weight, window, x);
    }
    static Value weight(const Value& x, const Value& dy, const Window& window, const Shape& shape) {
      return G::depthwise_conv2d_weight(x, dy, window, shape);
    }
  };

  template <class Op>
  static T convolution(const T& x, const T& weight, const Window& window, const Epilogue<T>& epilogue) {
    const SplitEpilogue<B> split(epilogue);
    const Value y = Op::forward(x.value(), weight.value(), window, split.fused);
    const T sums = record<B>(
        y, {&x, &weight, &split.shift, &split.residual},
        [x = weight.is_tracked() ? x.value() : Value{}, shape = x.shape(), weight = weight.value(), window,
         saved = split.activation == Activation::none ? Value{} : y, activation = split.activation,
         shift = split.shift.shape()](const Value& dy, Parents<B>& to) {
          const Value d = before_epilogue(dy, saved, activation, shift, 2, to);
          to.give(1, [&] { return Op::weight(x, d, window, weight.shape()); });
          to.give(0, [&] { return Op::input(d, weight, window, shape); });
        });
    return finish<B, training>(sums, split.rest);
  }
};

}  // namespace dformer::autodiff
