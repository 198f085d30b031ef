// What cuBLASLt and cuDNN answer to library.hpp. Compiled once, into dformer::cuda.

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/nvidia/convolution_plan.inl>
#include <dformer/backend/cuda/nvidia/handle.inl>
#include <dformer/backend/cuda/nvidia/ordinal_scope.inl>
#include <dformer/backend/cuda/nvidia/product_plan.inl>
#include <dformer/backend/cuda/nvidia/workspace.inl>

namespace dformer::cuda::library {

struct Context {
  explicit Context(const ContextOptions& given)
      : options(given),
        stream(reinterpret_cast<cudaStream_t>(given.stream)),
        workspace(given.ordinal),
        narrow_weight(given.ordinal) {
    cublasLtHandle_t made = nullptr;
    require("cublasLtCreate", cublasLtCreate(&made));
    products.reset(made);
    cudnnHandle_t other = nullptr;
    require("cudnnCreate", cudnnCreate(&other));
    convolutions.reset(other);
    require("cudnnSetStream", cudnnSetStream(other, stream));
  }

  ContextOptions options;
  cudaStream_t stream;
  Handle<cublasLtHandle_t, cublasLtDestroy> products;
  Handle<cudnnHandle_t, cudnnDestroy> convolutions;
  std::map<ProductKey, ProductPlan> product_plans;
  std::map<ConvolutionKey, std::optional<ConvolutionPlan>> convolution_plans;
  Workspace workspace;
  Workspace narrow_weight;  ///< gradients of weights on their way from 16 bits to float32
};

namespace {

/// Empty where cuDNN has no plan; it is asked once for each key.
const std::optional<ConvolutionPlan>& plan(Context& context, const ConvolutionKey& key) {
  auto found = context.convolution_plans.find(key);
  if (found == context.convolution_plans.end()) {
    const ConvolutionRules rules{context.options.deterministic, context.options.allow_tf32};
    found =
        context.convolution_plans.emplace(key, ConvolutionPlan::find(context.convolutions.get(), key, rules))
            .first;
  }
  return found->second;
}

void run(Context& context, const ConvolutionPlan& plan, const void* x, const void* weight, const void* y) {
  plan.run(context.convolutions.get(), x, weight, y, context.workspace.reserve(plan.workspace_bytes()));
}

void run(Context& context, const ConvolutionKey& key, const void* x, const void* weight, const void* y) {
  const OrdinalScope scope(context.options.ordinal);
  const std::optional<ConvolutionPlan>& found = plan(context, key);
  if (!found) throw CudnnError("[cuda] cuDNN has no algorithm for " + key.text());
  run(context, *found, x, weight, y);
}

template <class T>
void widen(const void* from, float* to, const Convolution& c, Stream stream) {
  const std::int64_t count = c.outputs * c.window.kernel * c.window.kernel * c.inputs;
  convert(ConvertArgs<T, float>{static_cast<const T*>(from), to, count}, stream);
}

}  // namespace

Context* create_context(const ContextOptions& options) {
  const OrdinalScope scope(options.ordinal);
  return new Context(options);
}
void destroy_context(Context* context) noexcept {
  if (context == nullptr) return;
  const OrdinalScope scope(context->options.ordinal);
  static_cast<void>(cudaStreamSynchronize(context->stream));  // what runs still uses the workspace
  delete context;
}

void multiply(Context& context, const Product& product) {
  const OrdinalScope scope(context.options.ordinal);
  const ProductKey key(product);
  auto found = context.product_plans.find(key);
  if (found == context.product_plans.end()) {
    ProductPlan made(context.products.get(), key, context.options.allow_tf32);
    found = context.product_plans.emplace(key, std::move(made)).first;
  }
  ProductPlan& plan = found->second;
  plan.run(context.products.get(), product, context.workspace.reserve(plan.workspace_bytes()),
           context.stream);
}

void convolve(Context& context, const Convolution& convolution, const void* x, const void* weight, void* y) {
  run(context, {convolution, ConvolutionResult::y, convolution.type}, x, weight, y);
}

void convolve_input(Context& context, const Convolution& convolution, const void* dy, const void* weight,
                    void* dx) {
  run(context, {convolution, ConvolutionResult::dx, convolution.type}, dx, weight, dy);
}

/// Not every GPU has algorithms that keep float32 sums of 16-bit factors: there they are rounded to 16 bits
/// once, at the end, and widened.
void convolve_weight(Context& context, const Convolution& convolution, const void* x, const void* dy,
                     float* dw) {
  const OrdinalScope scope(context.options.ordinal);
  const DType type = convolution.type;
  if (const auto& found = plan(context, {convolution, ConvolutionResult::dw, DType::float32});
      found || type == DType::float32) {
    return run(context, {convolution, ConvolutionResult::dw, DType::float32}, x, dw, dy);
  }
  const std::int64_t count =
      convolution.outputs * convolution.window.kernel * convolution.window.kernel * convolution.inputs;
  void* const narrow = context.narrow_weight.reserve(static_cast<std::size_t>(count) * size_of(type));
  run(context, {convolution, ConvolutionResult::dw, type}, x, narrow, dy);
  if (type == DType::float16) {
    widen<half>(narrow, dw, convolution, context.options.stream);
  } else {
    widen<bfloat16>(narrow, dw, convolution, context.options.stream);
  }
}

}  // namespace dformer::cuda::library
