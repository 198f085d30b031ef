// Every kernel source, in the order of their use of one another; included by kernels.hpp once for each
// instruction set, inside that set's namespace.

// The order matters.
// clang-format off
#include <dformer/backend/cpu/kernels/simd.inl>
#include <dformer/backend/cpu/kernels/math.inl>
#include <dformer/backend/cpu/kernels/epilogue.inl>
#include <dformer/backend/cpu/kernels/gemm.inl>

#include <dformer/backend/cpu/kernels/norm.inl>
#include <dformer/backend/cpu/kernels/pointwise.inl>
#include <dformer/backend/cpu/kernels/softmax.inl>
#include <dformer/backend/cpu/kernels/gate.inl>
#include <dformer/backend/cpu/kernels/pool.inl>
#include <dformer/backend/cpu/kernels/resize.inl>
#include <dformer/backend/cpu/kernels/resize_argmax.inl>
#include <dformer/backend/cpu/kernels/depthwise_any.inl>
#include <dformer/backend/cpu/kernels/depthwise_finish.inl>
#include <dformer/backend/cpu/kernels/depthwise.inl>

#include <dformer/backend/cpu/kernels/attention_lanes.inl>
#include <dformer/backend/cpu/kernels/attention_rows.inl>
#include <dformer/backend/cpu/kernels/attention_block.inl>
#include <dformer/backend/cpu/kernels/attention.inl>
#include <dformer/backend/cpu/kernels/geometry_bias.inl>
#include <dformer/backend/cpu/kernels/geometry.inl>
#include <dformer/backend/cpu/kernels/nmf_product.inl>
#include <dformer/backend/cpu/kernels/nmf.inl>
#include <dformer/backend/cpu/kernels/rotary.inl>
// clang-format on

template <class T>
inline constexpr KernelTable<T> table{
    .matrix_product = &matrix_product<T>,
    .scale_shift = &scale_shift<T>,
    .layer_norm = &layer_norm<T>,
    .activate = &activate_all<T>,
    .add = &binary<T, Add>,
    .multiply = &binary<T, Multiply>,
    .softmax = &softmax<T>,
    .gate = &gate<T>,
    .adaptive_avg_pool = &adaptive_avg_pool<T>,
    .resize_bilinear = &resize_bilinear<T>,
    .top_class = &top_class<T>,
    .resize_argmax = &resize_argmax<T>,
    .depthwise_conv2d = &depthwise_conv2d<T>,
    .attention_part = &attention_part<T>,
    .attention_combine = &attention_combine<T>,
    .rotary = &rotary<T>,
    .line_attention = &line_attention<T>,
    .grid_attention = &grid_attention<T>,
    .nmf_rows = &nmf_rows<T>,
    .nmf_reduce = &nmf_reduce<T>,
    .nmf_bases = &nmf_bases<T>,
    .nmf_gram = &nmf_gram<T>,
};
