#pragma once

#include <cstdint>

#include <dformer/backend/cpu/isa.hpp>
#include <dformer/backend/cpu/kernels/gradients/attention_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/channel_sums_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/cross_entropy_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/depthwise_gradient_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/geometry_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/nmf_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/norm_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/optimizer_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/outer_product_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/pointwise_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/resample_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/transpose_weight_args.hpp>
#include <dformer/backend/cpu/kernels/gradients/window_gather_args.hpp>
#include <dformer/backend/cpu/kernels/pointwise_args.hpp>
#include <dformer/backend/cpu/kernels/rotary_args.hpp>

namespace dformer::cpu {

/// The kernels of one instruction set for one element type that only training uses; as KernelTable.
template <class T>
struct GradientTable {
  template <class Args>
  using Kernel = void (*)(const Args& args, std::int64_t begin, std::int64_t end);

  Kernel<AttentionGradientArgs<T>> attention_scores;
  Kernel<AttentionGradientArgs<T>> attention_keys;
  Kernel<AttentionGradientArgs<T>> attention_queries;
  Kernel<RotaryArgs<T>> rotary;
  Kernel<GeometryGradientArgs<T>> line_attention;
  Kernel<GeometryGradientArgs<T>> grid_attention;
  Kernel<NmfGradientArgs<T>> nmf_history;
  Kernel<NmfGradientArgs<T>> nmf_rows;
  Kernel<NmfGradientArgs<T>> nmf_bases;
  Kernel<NmfGradientArgs<T>> nmf_gram;
  Kernel<NmfGradientArgs<T>> nmf_weights;
  Kernel<ChannelSumsArgs<T>> channel_sums;
  Kernel<ChannelSumsArgs<T>> channel_products;
  Kernel<ChannelSumsArgs<T>> channel_moments;
  Kernel<ChannelSumsArgs<T>> batch_norm_sums;
  Kernel<LayerNormGradientArgs<T>> layer_norm;
  Kernel<BatchNormGradientArgs<T>> batch_norm;
  Kernel<PointwiseArgs<T>> activation;
  Kernel<ScaleChannelsArgs<T>> scale_channels;
  Kernel<ScaleSamplesArgs<T>> scale_samples;
  Kernel<SoftmaxGradientArgs<T>> softmax;
  Kernel<ResampleGradientArgs<T>> resample;
  Kernel<OuterProductArgs<T>> outer_product;
  Kernel<SumPartsArgs<T>> sum_parts;
  Kernel<TransposeWeightArgs<T>> transpose_weight;
  Kernel<WindowGatherArgs<T>> window_gather;
  Kernel<DepthwiseInputArgs<T>> depthwise_input;
  Kernel<DepthwiseWeightArgs<T>> depthwise_weight;
  Kernel<CrossEntropyArgs<T>> cross_entropy;
  Kernel<AdamWArgs<T>> adamw;
  Kernel<SgdArgs<T>> sgd;
  Kernel<AverageArgs<T>> average_to;
};

/// The gradient kernels that a device with this instruction set runs.
template <class T>
const GradientTable<T>& gradient_kernels(Isa isa);

#if defined(DFORMER_PRECOMPILED)
extern template const GradientTable<float>& gradient_kernels<float>(Isa);
extern template const GradientTable<double>& gradient_kernels<double>(Isa);
#endif

}  // namespace dformer::cpu
