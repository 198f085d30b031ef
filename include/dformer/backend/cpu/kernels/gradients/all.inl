// Every gradient kernel's source, in the order of their use of one another; included by gradients/kernels.hpp
// once for each instruction set, inside that set's namespace, after the sources of kernels/all.inl.

// The order matters.
// clang-format off
#include <dformer/backend/cpu/kernels/gradients/product.inl>
#include <dformer/backend/cpu/kernels/gradients/attention_rows.inl>
#include <dformer/backend/cpu/kernels/gradients/attention_part.inl>
#include <dformer/backend/cpu/kernels/gradients/attention.inl>
#include <dformer/backend/cpu/kernels/gradients/rotary.inl>
#include <dformer/backend/cpu/kernels/gradients/geometry.inl>
#include <dformer/backend/cpu/kernels/gradients/nmf.inl>
#include <dformer/backend/cpu/kernels/gradients/channel_sums.inl>
#include <dformer/backend/cpu/kernels/gradients/norm.inl>
#include <dformer/backend/cpu/kernels/gradients/pointwise.inl>
#include <dformer/backend/cpu/kernels/gradients/resample.inl>
#include <dformer/backend/cpu/kernels/gradients/outer_product.inl>
#include <dformer/backend/cpu/kernels/gradients/transpose_weight.inl>
#include <dformer/backend/cpu/kernels/gradients/window_gather.inl>
#include <dformer/backend/cpu/kernels/gradients/depthwise_input.inl>
#include <dformer/backend/cpu/kernels/gradients/depthwise_weight.inl>
#include <dformer/backend/cpu/kernels/gradients/cross_entropy.inl>
#include <dformer/backend/cpu/kernels/gradients/optimizer.inl>
// clang-format on

template <class T>
inline constexpr GradientTable<T> gradient_table{
    .attention_scores = &attention_gradient_scores<T>,
    .attention_keys = &attention_gradient_keys<T>,
    .attention_queries = &attention_gradient_queries<T>,
    .rotary = &rotary_gradient<T>,
    .line_attention = &line_attention_gradient<T>,
    .grid_attention = &grid_attention_gradient<T>,
    .nmf_history = &nmf_history<T>,
    .nmf_rows = &nmf_gradient_rows<T>,
    .nmf_bases = &nmf_gradient_bases<T>,
    .nmf_gram = &nmf_gradient_gram<T>,
    .nmf_weights = &nmf_gradient_weights<T>,
    .channel_sums = &channel_sums<T, SumOfValues>,
    .channel_products = &channel_sums<T, SumOfProducts>,
    .channel_moments = &channel_sums<T, SumsOfMoments>,
    .batch_norm_sums = &channel_sums<T, SumsOfBatchNorm>,
    .layer_norm = &layer_norm_gradient<T>,
    .batch_norm = &batch_norm_gradient<T>,
    .activation = &activation_gradient_all<T>,
    .scale_channels = &scale_channels<T>,
    .scale_samples = &scale_samples<T>,
    .softmax = &softmax_gradient<T>,
    .resample = &resample_gradient<T>,
    .outer_product = &outer_product<T>,
    .sum_parts = &sum_parts<T>,
    .transpose_weight = &transpose_weight<T>,
    .window_gather = &window_gather<T>,
    .depthwise_input = &depthwise_input<T>,
    .depthwise_weight = &depthwise_weight<T>,
    .cross_entropy = &cross_entropy<T>,
    .adamw = &adamw<T>,
    .sgd = &sgd<T>,
    .average_to = &average_to<T>,
};
