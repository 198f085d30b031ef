// Every kernel source, in the order of their use of one another; included by kernels.hpp once for each instruction
// set, inside that set's namespace.

#include <dformer/backend/cpu/kernels/simd.inl>
#include <dformer/backend/cpu/kernels/math.inl>
#include <dformer/backend/cpu/kernels/epilogue.inl>
#include <dformer/backend/cpu/kernels/gemm.inl>

#include <dformer/backend/cpu/kernels/norm.inl>
#include <dformer/backend/cpu/kernels/attention_lanes.inl>
#include <dformer/backend/cpu/kernels/attention_block.inl>
#include <dformer/backend/cpu/kernels/attention.inl>
#include <dformer/backend/cpu/kernels/geometry.inl>
#include <dformer/backend/cpu/kernels/nmf_product.inl>
#include <dformer/backend/cpu/kernels/nmf.inl>
#include <dformer/backend/cpu/kernels/rotary.inl>

template <class T>
inline constexpr KernelTable<T> table{
    .matrix_product = &matrix_product<T>,
    .scale_shift = &scale_shift<T>,
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
