#pragma once

#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

/// The nodes of the Hamburger's iteration, every step written out. All products are plain MatMul nodes; with
/// X the pixels as [N, D, T], C the coefficients [N, T, R] and B the bases [N, D, R]:
///
///     C = softmax(inv_t X'B);  repeat: C = C * X'B / (C B'B + e),  B = B * X C / (B C'C + e);  X = B C'
class NmfNodes {
 public:
  NmfNodes(Recorder& recorder, std::string module, std::string pixels)
      : recorder_(recorder),
        module_(std::move(module)),
        pixels_(std::move(pixels)),
        rows_(transposed(recorder_, module_, pixels_, {0, 2, 1})) {}

  /// Gives [N, D, T].
  std::string factorized(std::string b, int steps, float inv_t) const {
    std::string c = first_coefficients(b, inv_t);
    for (int step = 0; step < steps; ++step) {
      c = updated(c, product(rows_, b), b);
      b = updated(b, product(pixels_, c), c);
    }
    c = updated(c, product(rows_, b), b);
    return product(b, swapped(c));
  }

 private:
  std::string first_coefficients(const std::string& bases, float inv_t) const {
    std::string similarities = product(rows_, bases);
    if (inv_t != 1.0f) similarities = add("Mul", {similarities, recorder_.scalar("inverse_t", inv_t)});
    return recorder_.add("Softmax", module_, {similarities}, {{"axis", std::int64_t{-1}}});
  }

  /// factor * numerator / (factor other' other + 1e-6)
  std::string updated(const std::string& factor, const std::string& numerator,
                      const std::string& other) const {
    const std::string denominator = product(factor, product(swapped(other), other));
    const std::string above = add("Mul", {factor, numerator});
    return add("Div", {above, add("Add", {denominator, recorder_.scalar("nmf_epsilon", 1e-6f)})});
  }

  std::string product(const std::string& a, const std::string& b) const { return add("MatMul", {a, b}); }
  std::string swapped(const std::string& a) const { return transposed(recorder_, module_, a, {0, 2, 1}); }
  std::string add(const char* op, std::vector<std::string> inputs) const {
    return recorder_.add(op, module_, std::move(inputs));
  }

  Recorder& recorder_;
  const std::string module_;
  const std::string pixels_;  // [N, D, T]
  const std::string rows_;    // [N, T, D]
};

struct FactorizationOps {
  static Tensor nmf(const Tensor& x, const Tensor& bases, int steps, float inv_t) {
    const Shape shape = shapes::nmf(x.shape(), bases.shape(), steps);
    const NmfNodes nodes(x.recorder(), bases.module(), name_in(x, Order::channels_first));
    const std::string start = name_in(x.recorder(), bases, Order::channels_last);
    return result(x, shape, Order::channels_first, nodes.factorized(start, steps, inv_t), x.module());
  }
};

}  // namespace dformer::onnx
