// Every kernel source, in the order of their use of one another; included by kernels.hpp once for each instruction
// set, inside that set's namespace.

#include <dformer/backend/cpu/kernels/simd.inl>
#include <dformer/backend/cpu/kernels/math.inl>
#include <dformer/backend/cpu/kernels/epilogue.inl>
#include <dformer/backend/cpu/kernels/gemm.inl>

#include <dformer/backend/cpu/kernels/norm.inl>

template <class T>
inline constexpr KernelTable<T> table{
    .matrix_product = &matrix_product<T>,
    .scale_shift = &scale_shift<T>,
};
