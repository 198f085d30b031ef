#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <dformer/backend/concat_shape.hpp>
#include <dformer/backend/cpu/gradients/transposed_weight.hpp>
#include <dformer/backend/cpu/gradients/weight_gradient.hpp>
#include <dformer/backend/cpu/linear.hpp>
#include <dformer/backend/gradient_shapes.hpp>

namespace dformer::cpu {

/// Tensors [..., C_i], taken as concatenated, for weight_gradient: each a piece, or several where it is wide.
template <class T>
class ConcatenatedColumns {
 public:
  explicit ConcatenatedColumns(std::span<const Tensor<T>> inputs) : rows_(inputs[0].shape().rows()) {
    constexpr std::int64_t most = 256;
    std::int64_t column = 0;
    for (const Tensor<T>& input : inputs) {
      const std::int64_t channels = input.shape().back();
      const std::int64_t cuts = (channels + most - 1) / most;
      for (std::int64_t cut = 0; cut < cuts; ++cut) {
        const std::int64_t from = channels * cut / cuts, to = channels * (cut + 1) / cuts;
        pieces_.push_back({input.data() + from, channels, column + from, to - from});
      }
      column += channels;
    }
  }

  std::vector<std::int64_t> widths() const {
    std::vector<std::int64_t> result;
    for (const Piece& piece : pieces_) result.push_back(piece.width);
    return result;
  }
  std::int64_t block_end(std::int64_t begin, std::int64_t end, std::int64_t most) const {
    return std::min(begin + most, end);
  }
  OuterProductColumns<T> columns(std::size_t index, std::int64_t begin, std::int64_t end) const {
    const Piece& piece = pieces_[index];
    OuterProductColumns<T> result{};
    result.x = piece.x + begin * piece.stride;
    result.x_stride = piece.stride;
    result.lines = 1;
    result.positions = end - begin;
    result.column = piece.column;
    result.width = piece.width;
    if (end + result.positions <= rows_) {
      result.ahead = piece.x + end * piece.stride;
      result.ahead_rows = result.positions;
      result.ahead_width = piece.width;
      result.ahead_stride = piece.stride;
    }
    return result;
  }

 private:
  struct Piece {
    const T* x;
    std::int64_t stride;
    std::int64_t column;
    std::int64_t width;
  };
  std::int64_t rows_;
  std::vector<Piece> pieces_;
};

template <class T>
struct LinearGradientOps {
  /// dy [..., O] by weight [O, I] (or [O, I, 1, 1]) gives [..., I]. Throws: ShapeError.
  static Tensor<T> linear_input(const Tensor<T>& dy, const Tensor<T>& weight) {
    const Shape shape = shapes::linear_input(dy.shape(), weight.shape());
    const std::span<const Tensor<T>> rows(&dy, 1);
    Tensor<T> dx(dy.device(), shape);
    matrix_product(ConcatenatedRows<T>{rows, dy.shape().rows(), dy.shape().back()},
                   transposed_weight(weight, 1), {}, dx);
    return dx;
  }

  /// Inputs [..., C_i], taken as concatenated, and dy [..., O] give the gradient of a weight of shape [O, sum
  /// C_i], packed as the weight is. Throws: ShapeError.
  static Tensor<T> linear_weight(std::span<const Tensor<T>> inputs, const Tensor<T>& dy,
                                 const Shape& weight) {
    const Shape x = shapes::concat_shape("linear_weight", inputs);
    const Shape shape = shapes::linear_weight(x, dy.shape(), weight);
    Tensor<T> dw(dy.device(), shape, packed_elements(WeightLayout::dense, shape));
    weight_gradient(ConcatenatedColumns<T>(inputs), dy, dw);
    return dw;
  }
};

}  // namespace dformer::cpu
