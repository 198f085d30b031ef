#pragma once

#include <cstdint>

#include <dformer/backend/cpu/isa.hpp>
#include <dformer/backend/cpu/kernels/attention_args.hpp>
#include <dformer/backend/cpu/kernels/depthwise_args.hpp>
#include <dformer/backend/cpu/kernels/gate_args.hpp>
#include <dformer/backend/cpu/kernels/gemm_args.hpp>
#include <dformer/backend/cpu/kernels/geometry_args.hpp>
#include <dformer/backend/cpu/kernels/nmf_args.hpp>
#include <dformer/backend/cpu/kernels/norm_args.hpp>
#include <dformer/backend/cpu/kernels/pointwise_args.hpp>
#include <dformer/backend/cpu/kernels/pool_args.hpp>
#include <dformer/backend/cpu/kernels/resize_args.hpp>
#include <dformer/backend/cpu/kernels/rotary_args.hpp>

namespace dformer::cpu {

/// The kernels of one instruction set for one element type. Each does the tasks [begin, end) of its
/// arguments; what a task is (a row, a tile, a head) the arguments' header says.
template <class T>
struct KernelTable {
  template <class Args>
  using Kernel = void (*)(const Args& args, std::int64_t begin, std::int64_t end);

  Kernel<MatrixProductArgs<T>> matrix_product;
  Kernel<ScaleShiftArgs<T>> scale_shift;
  Kernel<LayerNormArgs<T>> layer_norm;
  Kernel<PointwiseArgs<T>> activate;
  Kernel<PointwiseArgs<T>> add;
  Kernel<PointwiseArgs<T>> multiply;
  Kernel<SoftmaxArgs<T>> softmax;
  Kernel<GateArgs<T>> gate;
  Kernel<PoolArgs<T>> adaptive_avg_pool;
  Kernel<ResizeArgs<T>> resize_bilinear;
  Kernel<TopClassArgs<T>> top_class;
  Kernel<ResizeArgmaxArgs<T>> resize_argmax;
  Kernel<DepthwiseArgs<T>> depthwise_conv2d;
  Kernel<AttentionArgs<T>> attention_part;
  Kernel<AttentionArgs<T>> attention_combine;
  Kernel<RotaryArgs<T>> rotary;
  Kernel<GeometryArgs<T>> line_attention;
  Kernel<GeometryArgs<T>> grid_attention;
  Kernel<NmfArgs<T>> nmf_rows;
  Kernel<NmfArgs<T>> nmf_reduce;
  Kernel<NmfArgs<T>> nmf_bases;
  Kernel<NmfArgs<T>> nmf_gram;
};

/// The kernels that a device with this instruction set runs.
template <class T>
const KernelTable<T>& kernels(Isa isa);

#if defined(DFORMER_PRECOMPILED)
extern template const KernelTable<float>& kernels<float>(Isa);
extern template const KernelTable<double>& kernels<double>(Isa);
#endif

}  // namespace dformer::cpu
