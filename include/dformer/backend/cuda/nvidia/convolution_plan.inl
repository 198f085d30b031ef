#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <cudnn_graph.h>

#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/nvidia/descriptor.inl>

namespace dformer::cuda::library {

/// Which of the three tensors is computed from the other two.
enum class ConvolutionResult : std::uint8_t { y, dx, dw };

/// What the choice of an algorithm depends on.
struct ConvolutionKey {
  Convolution shape;
  ConvolutionResult result;

  std::string text() const {
    const auto list = [](std::initializer_list<std::int64_t> extents) {
      std::string joined;
      for (const std::int64_t extent : extents)
        joined += (joined.empty() ? "" : ", ") + std::to_string(extent);
      return "[" + joined + "]";
    };
    const Window& w = shape.window;
    const char* const of = result == ConvolutionResult::y ? "the convolution of "
                           : result == ConvolutionResult::dx
                               ? "the gradient of the input of a convolution of "
                               : "the gradient of the weight of a convolution of ";
    return of + list({shape.images, shape.height, shape.width, shape.inputs}) + " with " +
           list({shape.outputs, w.kernel, w.kernel, shape.inputs}) + ", stride " + std::to_string(w.stride) +
           ", padding " + std::to_string(w.padding) + ", dilation " + std::to_string(w.dilation) + ", in " +
           std::string(to_string(shape.type));
  }

  auto fields() const {
    const Window& w = shape.window;
    return std::make_tuple(shape.type, shape.images, shape.height, shape.width, shape.inputs, shape.y_height,
                           shape.y_width, shape.outputs, w.kernel, w.stride, w.padding, w.dilation, result);
  }
  friend bool operator<(const ConvolutionKey& left, const ConvolutionKey& right) {
    return left.fields() < right.fields();
  }
};

/// Which algorithms of cuDNN may be taken.
struct ConvolutionRules {
  bool deterministic;
  bool allow_tf32;

  /// By what cuDNN notes of an engine. Sums are made in float32 always, and float32 factors keep their bits
  /// unless TF32 is allowed; only for float32 are tensor cores a matter of rounding.
  bool allow(const std::vector<cudnnBackendNumericalNote_t>& notes, DType type) const {
    const auto has = [&](cudnnBackendNumericalNote_t note) {
      return std::find(notes.begin(), notes.end(), note) != notes.end();
    };
    if (has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
    if (deterministic && has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
    if (type != DType::float32 || allow_tf32) return true;
    return !has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) && !has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
  }
};

/// The GPU that plans are for: that of a handle; or one that is only described, on which they cannot be run
/// (a descriptor of kind CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR).
class PlanTarget {
 public:
  explicit PlanTarget(cudnnHandle_t library) : library_(library) {}
  explicit PlanTarget(const Descriptor& described) : described_(&described) {}

  void describe_graph(Descriptor& graph) const {
    if (described_ == nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, library_);
  }
  void describe_heuristics(Descriptor& heuristics) const {
    if (described_ != nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *described_);
  }
  void describe_plan(Descriptor& plan) const {
    if (described_ == nullptr) {
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, library_);
    } else {
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *described_);
    }
  }

 private:
  cudnnHandle_t library_ = nullptr;
  const Descriptor* described_ = nullptr;
};

/// How cuDNN computes convolutions of one kind: the first plan that its heuristics propose, that the rules
/// and the GPU allow, and that takes no more than `most_workspace`; or the first that takes more, if all do.
class ConvolutionPlan {
 public:
  static constexpr std::size_t most_workspace = std::size_t{256} << 20;

  /// Empty where cuDNN has none.
  static std::optional<ConvolutionPlan> find(const PlanTarget& target, const ConvolutionKey& key,
                                             const ConvolutionRules& rules) {
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    target.describe_graph(graph);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation(key));
    if (!graph.try_finalize()) return std::nullopt;
    std::optional<ConvolutionPlan> larger;
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
      target.describe_heuristics(heuristics);
      if (!heuristics.try_finalize()) continue;
      for (Descriptor& config :
           heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
        if (!rules.allow(notes(config), key.shape.type)) continue;
        Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        target.describe_plan(plan);
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
        if (!plan.try_finalize()) continue;
        ConvolutionPlan found(std::move(config), std::move(plan));
        if (found.workspace_bytes() <= most_workspace) return found;
        if (!larger) larger = std::move(found);
      }
    }
    return larger;
  }

  std::size_t workspace_bytes() const { return workspace_bytes_; }

  void run(cudnnHandle_t library, const void* x, const void* weight, const void* y, void* workspace) const {
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::array{x_id, weight_id, y_id});
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
             std::array{const_cast<void*>(x), const_cast<void*>(weight), const_cast<void*>(y)});
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
    pack.finalize("the operands of a convolution");
    require("cudnnBackendExecute", cudnnBackendExecute(library, plan_.get(), pack.get()));
  }

 private:
  static constexpr std::int64_t x_id = 'x', weight_id = 'w', y_id = 'y';

  ConvolutionPlan(Descriptor config, Descriptor plan)
      : config_(std::move(config)),
        plan_(std::move(plan)),
        workspace_bytes_(static_cast<std::size_t>(plan_.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE))) {}

  static cudnnDataType_t data_type(DType type) {
    if (type == DType::float32) return CUDNN_DATA_FLOAT;
    return type == DType::float16 ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
  }

  /// Extents in cuDNN's order, which is PyTorch's, of elements that lie channels-last.
  static Descriptor tensor(std::int64_t id, DType type, std::int64_t n, std::int64_t c, std::int64_t h,
                           std::int64_t w) {
    Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, data_type(type));
    tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
    tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::array{n, c, h, w});
    tensor.set(CUDNN_ATTR_TENSOR_STRIDES, std::array{h * w * c, std::int64_t{1}, w * c, c});
    tensor.finalize("a tensor");
    return tensor;
  }

  static Descriptor window(const Window& given) {
    const auto both = [](int value) { return std::array<std::int64_t, 2>{value, value}; };
    Descriptor window(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    window.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
    window.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    window.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    window.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, both(given.stride));
    window.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, both(given.padding));
    window.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, both(given.padding));
    window.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, both(given.dilation));
    window.finalize("a window");
    return window;
  }

  /// How cuDNN names one of the three operations and its attributes.
  struct Names {
    cudnnBackendDescriptorType_t kind;
    cudnnBackendAttributeName_t window, x, weight, y, alpha, beta;
  };
  static Names names(ConvolutionResult result) {
    switch (result) {
      case ConvolutionResult::y:
        return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
      case ConvolutionResult::dx:
        return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
      case ConvolutionResult::dw:
        break;
    }
    return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
            CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
  static Descriptor operation(const ConvolutionKey& key) {
    const Convolution& c = key.shape;
    const Names name = names(key.result);
    Descriptor operation(name.kind);
    operation.set(name.window, window(c.window));
    operation.set(name.x, tensor(x_id, c.type, c.images, c.inputs, c.height, c.width));
    operation.set(name.weight,
                  tensor(weight_id, c.type, c.outputs, c.inputs, c.window.kernel, c.window.kernel));
    operation.set(name.y, tensor(y_id, c.type, c.images, c.outputs, c.y_height, c.y_width));
    operation.set(name.alpha, 1.0f);
    operation.set(name.beta, 0.0f);
    operation.finalize(key.text());
    return operation;
  }

  static std::vector<cudnnBackendNumericalNote_t> notes(const Descriptor& config) {
    const std::vector<Descriptor> engine =
        config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    return engine.at(0).values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                            CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  }

  Descriptor config_;  // cuDNN does not say that a plan may outlive it
  Descriptor plan_;
  std::size_t workspace_bytes_;
};

}  // namespace dformer::cuda::library
