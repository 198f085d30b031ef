#pragma once

#include <dformer/backend/concept.hpp>
#include <dformer/backend/onnx/attention.hpp>
#include <dformer/backend/onnx/convolution.hpp>
#include <dformer/backend/onnx/geometry_attention.hpp>
#include <dformer/backend/onnx/nmf.hpp>
#include <dformer/backend/onnx/norm.hpp>
#include <dformer/backend/onnx/pointwise.hpp>
#include <dformer/backend/onnx/resample.hpp>
#include <dformer/backend/onnx/storage.hpp>

namespace dformer {

/// The backend that computes nothing: each operation adds its nodes to a graph (`onnx::Recorder`), so a
/// network of any type writes itself as an ONNX model. `onnx_graph(network, options)` is the way to it.
///
/// The graph is of one height and width, for operations are given extents as numbers; the number of images
/// may stay open. Values are [N, C, H, W] in the graph, but where a layer norm needs channels last.
struct Onnx : onnx::StorageOps,
              onnx::ConvolutionOps,
              onnx::NormOps,
              onnx::PointwiseOps,
              onnx::ResampleOps,
              onnx::AttentionOps,
              onnx::GeometryAttentionOps,
              onnx::FactorizationOps {
  using Tensor = onnx::Tensor;
  using Labels = onnx::Tensor;
  using Device = onnx::Device;
  static constexpr bool training = false;
};

static_assert(StorageFamily<Onnx>);
static_assert(LinearFamily<Onnx>);
static_assert(ConvolutionFamily<Onnx>);
static_assert(NormFamily<Onnx>);
static_assert(PointwiseFamily<Onnx>);
static_assert(ResampleFamily<Onnx>);
static_assert(AttentionFamily<Onnx>);
static_assert(FactorizationFamily<Onnx>);

}  // namespace dformer
