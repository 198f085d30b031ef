#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/geometry_prior.hpp>
#include <dformer/backend/onnx/layout.hpp>
#include <dformer/backend/onnx/tables.hpp>
#include <dformer/backend/shapes.hpp>

namespace dformer::onnx {

/// The nodes of attention with the geometry prior as a bias of the scores. The distances in depth are the
/// same for all blocks of a stage and are in the graph once; what the prior's weights make of the distances
/// in the grid is constant, so a runtime folds it.
class GeometryNodes {
 public:
  /// `shape` is that of the queries, [N, H, W, C].
  GeometryNodes(Recorder& recorder, const GeometryPrior<Tensor>& prior, const Shape& shape, int heads)
      : recorder_(recorder),
        module_(prior.decay.module()),
        prior_(prior),
        heads_(heads),
        height_(shape[1]),
        width_(shape[2]),
        head_dim_(shape[3] / heads) {}

  /// Gives [N, heads, head_dim, H, W]. Axes 1 to 4 of the reshaped operands are heads, head_dim, H, W.
  std::string over_rows_and_columns(const Tensor& q, const Tensor& k, const Tensor& v) const {
    const Axes grid{0, heads_, head_dim_, height_, width_};
    const std::string queries = split(q, grid), keys = split(k, grid), values = split(v, grid);
    const std::string depth = name_in(prior_.depth, Order::channels_first);  // [N, 1, H, W]
    const std::string rows = attend(permuted(queries, {0, 1, 3, 4, 2}), permuted(keys, {0, 1, 3, 2, 4}),
                                    permuted(values, {0, 1, 3, 4, 2}),
                                    bias(depth, {0, 1, height_}, 1, width_));  // [N, heads, H, W, dim]
    const std::string columns = attend(
        permuted(queries, {0, 1, 4, 3, 2}), permuted(keys, {0, 1, 4, 2, 3}), permuted(rows, {0, 1, 3, 2, 4}),
        bias(permuted(depth, {0, 1, 3, 2}), {0, 1, width_}, height_, 1));  // [N, heads, W, H, dim]
    return permuted(columns, {0, 1, 4, 3, 2});
  }

  /// Gives [N, heads, head_dim, T] with T = H * W.
  std::string over_grid(const Tensor& q, const Tensor& k, const Tensor& v) const {
    const Axes tokens{0, heads_, head_dim_, height_ * width_};
    const std::string depth = name_in(prior_.depth, Order::channels_first);
    return permuted(attend(permuted(split(q, tokens), {0, 1, 3, 2}), split(k, tokens),
                           permuted(split(v, tokens), {0, 1, 3, 2}), bias(depth, {0, 1}, height_, width_)),
                    {0, 1, 3, 2});
  }

 private:
  using Axes = std::vector<std::int64_t>;

  /// softmax(queries keys + bias) values, over the last two axes.
  std::string attend(const std::string& queries, const std::string& keys, const std::string& values,
                     const std::string& bias) const {
    const std::string scores = add("Add", {add("MatMul", {queries, keys}), bias});
    const std::string weights = recorder_.add("Softmax", module_, {scores}, {{"axis", std::int64_t{-1}}});
    return add("MatMul", {weights, values});
  }

  /// decay * (weight[0] * distance in the grid + weight[1] * distance in depth) among the tokens of each
  /// sequence of `height` by `width`. `depth` has one value for each token of the sequences that `leading`
  /// counts.
  std::string bias(const std::string& depth, const Axes& leading, std::int64_t height,
                   std::int64_t width) const {
    const std::int64_t tokens = height * width;
    Axes column = leading, row = leading;
    column.insert(column.end(), {tokens, 1});
    row.insert(row.end(), {1, tokens});
    const std::string differences = add("Sub", {shaped(depth, column), shaped(depth, row)});
    const std::string distances =
        recorder_.constant("grid_distances", {tokens, tokens}, grid_distances(height, width));
    // [heads, 1, 1] or [heads, 1, 1, 1], after the number of images
    const int rank = static_cast<int>(leading.size()) + 2;
    const std::string decay = per_channel(recorder_, prior_.decay, rank, Order::channels_first);
    const auto part = [&](std::int64_t index, const std::string& distance) {
      const std::string weight =
          recorder_.add("Gather", module_,
                        {name_in(recorder_, prior_.weight, Order::channels_last), recorder_.integer(index)},
                        {{"axis", std::int64_t{0}}});
      return add("Mul", {distance, add("Mul", {decay, weight})});
    };
    return add("Add", {part(1, add("Abs", {differences})), part(0, distances)});
  }

  std::string add(const char* op, std::vector<std::string> inputs) const {
    return recorder_.add(op, module_, std::move(inputs));
  }
  std::string split(const Tensor& x, const Axes& dims) const {
    return shaped(name_in(recorder_, x, Order::channels_first), dims);
  }
  std::string shaped(const std::string& name, const Axes& dims) const {
    return reshaped(recorder_, module_, name, dims);
  }
  std::string permuted(const std::string& name, Axes axes) const {
    return transposed(recorder_, module_, name, std::move(axes));
  }

  Recorder& recorder_;
  const std::string module_;
  const GeometryPrior<Tensor>& prior_;
  const std::int64_t heads_, height_, width_, head_dim_;
};

struct GeometryAttentionOps {
  static Tensor geometry_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const GeometryPrior<Tensor>& prior, int num_heads,
                                   GeometryAttention kind) {
    const Shape shape = shapes::geometry_attention(q.shape(), k.shape(), v.shape(), prior.depth.shape(),
                                                   prior.weight.shape(), prior.decay.shape(), num_heads);
    const GeometryNodes nodes(q.recorder(), prior, shape, num_heads);
    const std::string attended =
        kind == GeometryAttention::full ? nodes.over_grid(q, k, v) : nodes.over_rows_and_columns(q, k, v);
    return result(q, shape, Order::channels_first,
                  reshaped(q.recorder(), prior.decay.module(), attended,
                           reshape_dims(dims_of(shape, Order::channels_first))),
                  v.module());
  }
};

}  // namespace dformer::onnx
