#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <dformer/backend/concept.hpp>

/// What a backend must offer beside its operations so that networks can be trained on it. For each operation
/// these are its derivatives with respect to one operand: given `dy`, the gradient of a loss with respect to
/// the result, they return the gradient with respect to that operand. They know nothing of recording.
///
/// They stand beside the backend, as `Gradients<B>`, so that a program that only infers does not compile
/// them. Gradients of weights come in the weight's layout, so that what updates a weight works element by
/// element. Sums over rows are cut by the shapes alone: results do not depend on the number of threads.
namespace dformer {

template <class B>
struct Gradients;  // specialised in <dformer/backend/cpu/gradients/gradients.hpp> and its like

/// Gradients of a normalisation. Shapes: x as the input; weight, bias [C].
template <class Tensor>
struct NormGradients {
  Tensor x{};
  Tensor weight{};
  Tensor bias{};
};

/// Mean and biased variance of each channel over all pixels of a batch. Shapes: [C] each.
template <class Tensor>
struct BatchStatistics {
  Tensor mean{};
  Tensor variance{};
};

/// Shapes: as the operands of `attention`.
template <class Tensor>
struct AttentionGradients {
  Tensor q{};
  Tensor kv{};
};

/// Shapes: q, k, v as the operands of `geometry_attention`; weight [2, 1, 1, 1]. Depth and decay are not
/// trained.
template <class Tensor>
struct GeometryAttentionGradients {
  Tensor q{};
  Tensor k{};
  Tensor v{};
  Tensor weight{};
};

/// How `cross_entropy` counts pixels. Labels equal to `ignore_index` are left out.
struct CrossEntropyOptions {
  int ignore_index = 255;
  float label_smoothing = 0.0f;           ///< share of the target that is spread over all classes
  std::span<const float> class_weight{};  ///< one for each class; empty: 1
  /// What the gradient is multiplied by before it is rounded, of the pixels that are not ignored and the sum
  /// of their weights; empty: 1.
  std::function<double(std::int64_t pixels, double weight)> gradient_scale{};
};

/// The sum of the pixels' losses and its gradient with respect to the logits as they were given.
template <class Tensor>
struct SummedLoss {
  double sum = 0;
  std::int64_t pixels = 0;  ///< that were not ignored
  double weight = 0;        ///< sum of their class weights; `pixels` where there are none
  Tensor gradient{};
};

/// One step of Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), as torch.optim.AdamW has
/// it. `step` counts from 1.
struct AdamWStep {
  double lr;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  std::int64_t step = 1;
};

/// One step of stochastic gradient descent as torch.optim.SGD has it: the decay is added to the gradient, and
/// the first step sets the momentum to it.
struct SgdStep {
  double lr;
  double momentum = 0.9;
  double weight_decay = 0.0;
  bool first = false;
};

/// A parameter's part in a step of AdamW over many: `mean` and `squares` are torch's exp_avg and exp_avg_sq.
template <class Tensor>
struct AdamWUpdate {
  Tensor value{};
  Tensor gradient{};
  Tensor mean{};
  Tensor squares{};
  AdamWStep step;
};
/// The same of SGD.
template <class Tensor>
struct SgdUpdate {
  Tensor value{};
  Tensor gradient{};
  Tensor momentum_buffer{};
  SgdStep step;
};
/// The same of an exponential average.
template <class Tensor>
struct AverageUpdate {
  Tensor average{};
  Tensor x{};
};

/// linear_input(dy [..., O], weight [O, I]) -> [..., I].
/// linear_weight(inputs [..., C_i], dy [..., O], shape of the weight) -> the weight's gradient.
template <class B>
concept LinearGradients = requires(std::span<const TensorOf<B>> inputs, const TensorOf<B>& x,
                                   const Shape& weight) {
  { Gradients<B>::linear_input(x, x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::linear_weight(inputs, x, weight) } -> std::same_as<TensorOf<B>>;
};

/// conv2d_input(dy, weight, window, shape of x), conv2d_weight(x, dy, window, shape of the weight); alike for
/// depthwise_conv2d.
template <class B>
concept ConvolutionGradients = requires(const TensorOf<B>& x, const Window& window, const Shape& shape) {
  { Gradients<B>::conv2d_input(x, x, window, shape) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::conv2d_weight(x, x, window, shape) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::depthwise_conv2d_input(x, x, window, shape) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::depthwise_conv2d_weight(x, x, window, shape) } -> std::same_as<TensorOf<B>>;
};

/// layer_norm(x, weight, dy, eps). batch_statistics(x [N, H, W, C]). batch_norm(x, weight, statistics, eps,
/// dy): the gradient of scale_shift(x, batch_norm_affine(weight, bias, statistics, eps)) where the statistics
/// are those of x. update_statistics(running_mean, running_var, statistics, rows, momentum): in place, with
/// the unbiased variance, as PyTorch does.
template <class B>
concept NormGradientFamily = requires(const TensorOf<B>& x, const BatchStatistics<TensorOf<B>>& statistics,
                                      std::int64_t rows, float eps) {
  { Gradients<B>::layer_norm(x, x, x, eps) } -> std::same_as<NormGradients<TensorOf<B>>>;
  { Gradients<B>::batch_statistics(x) } -> std::same_as<BatchStatistics<TensorOf<B>>>;
  { Gradients<B>::batch_norm(x, x, statistics, eps, x) } -> std::same_as<NormGradients<TensorOf<B>>>;
  Gradients<B>::update_statistics(x, x, statistics, rows, eps);
};

/// activation(saved, activation, dy): `saved` is the input of gelu and the result of relu and sigmoid.
/// softmax(y, dy), y the result. channel_sums(x [..., C]) -> [C], channel_products(a, b) -> [C]: sums over
/// all rows of a * b. scale_channels(x [..., C], scale [C]). scale_samples(x [N, ..., C], factors): a host
/// array of N factors, or of N * C. split(x [..., C], channels): the pieces of the last axis. add_to(sum,
/// x): in place. scaled(x, factor): a new tensor, in any layout.
template <class B>
concept PointwiseGradients = requires(const TensorOf<B>& x, TensorOf<B>& sum, Activation activation,
                                      std::span<const float> factors, std::span<const std::int64_t> channels,
                                      float factor) {
  { Gradients<B>::activation(x, activation, x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::softmax(x, x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::channel_sums(x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::channel_products(x, x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::scale_channels(x, x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::scale_samples(x, factors) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::split(x, channels) } -> std::same_as<std::vector<TensorOf<B>>>;
  { Gradients<B>::scaled(x, factor) } -> std::same_as<TensorOf<B>>;
  Gradients<B>::add_to(sum, x);
};

/// adaptive_avg_pool(dy [N, h, w, C], height, width) and resize_bilinear(dy, height, width, align_corners):
/// height and width are those of the input; they give [N, height, width, C].
template <class B>
concept ResampleGradients = requires(const TensorOf<B>& x, std::int64_t extent) {
  { Gradients<B>::adaptive_avg_pool(x, extent, extent) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::resize_bilinear(x, extent, extent, false) } -> std::same_as<TensorOf<B>>;
};

/// attention(q, kv, num_heads, scale, dy); rotary(dy, angle, num_heads, scale); geometry_attention(q, k, v,
/// prior, num_heads, kind, dy). Scores are computed again, and never held for all queries.
template <class B>
concept AttentionGradientFamily = requires(const TensorOf<B>& x, const GeometryPrior<TensorOf<B>>& prior,
                                           int num_heads, float scale, GeometryAttention kind) {
  { Gradients<B>::attention(x, x, num_heads, scale, x) } -> std::same_as<AttentionGradients<TensorOf<B>>>;
  { Gradients<B>::rotary(x, x, num_heads, scale) } -> std::same_as<TensorOf<B>>;
  {
    Gradients<B>::geometry_attention(x, x, x, prior, num_heads, kind, x)
    } -> std::same_as<GeometryAttentionGradients<TensorOf<B>>>;
};

/// nmf(x, bases, steps, inv_t, dy) -> the gradient of x, through all steps.
template <class B>
concept FactorizationGradients = requires(const TensorOf<B>& x, int steps, float inv_t) {
  { Gradients<B>::nmf(x, x, steps, inv_t, x) } -> std::same_as<TensorOf<B>>;
};

/// cross_entropy(logits [N, h, w, K], labels, height, width, options): the logits are resized (bilinear,
/// align_corners false) to the labels' size, which are host bytes [N, height, width]; the resized logits are
/// never held.
template <class B>
concept LossGradients = requires(const TensorOf<B>& logits, std::span<const std::uint8_t> labels,
                                 std::int64_t extent, const CrossEntropyOptions& options) {
  {
    Gradients<B>::cross_entropy(logits, labels, extent, extent, options)
    } -> std::same_as<SummedLoss<TensorOf<B>>>;
};

/// Steps of optimisers, in place, over all elements in memory, whatever the layout, of many parameters at
/// once. zeros_like(x): of x's shape and layout, as the moments of a parameter x are. moment_from_host: one
/// of these, from values in PyTorch's order. sum_of_squares(tensors): of all elements of all of them.
/// adamw(updates, factor), sgd(updates, factor): gradients are multiplied by the factor first.
/// average_to(updates, decay): average = decay * average + (1 - decay) * x.
template <class B>
concept OptimizerSteps = requires(const TensorOf<B>& x, std::span<const TensorOf<B>> tensors,
                                  std::span<AdamWUpdate<TensorOf<B>>> adamw,
                                  std::span<SgdUpdate<TensorOf<B>>> sgd,
                                  std::span<AverageUpdate<TensorOf<B>>> averages, double number,
                                  const typename B::Device& device, WeightLayout layout, const Shape& shape,
                                  std::span<const float> values) {
  { Gradients<B>::zeros_like(x) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::moment_from_host(device, layout, shape, values) } -> std::same_as<TensorOf<B>>;
  { Gradients<B>::sum_of_squares(tensors) } -> std::same_as<double>;
  Gradients<B>::adamw(adamw, number);
  Gradients<B>::sgd(sgd, number);
  Gradients<B>::average_to(averages, number);
};

/// A backend on which networks can be trained.
template <class B>
concept Trainable = LinearGradients<B> && ConvolutionGradients<B> && NormGradientFamily<B> &&
    PointwiseGradients<B> && ResampleGradients<B> && AttentionGradientFamily<B> &&
    FactorizationGradients<B> && LossGradients<B> && OptimizerSteps<B>;

}  // namespace dformer
