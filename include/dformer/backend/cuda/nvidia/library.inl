// What cuBLASLt and cuDNN answer to library.hpp. Compiled once, into dformer::cuda.

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <dformer/backend/cuda/kernels/convert.hpp>
#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/nvidia/convolution_plan.inl>
#include <dformer/backend/cuda/nvidia/handle.inl>
#include <dformer/backend/cuda/nvidia/product_plan.inl>
#include <dformer/backend/cuda/nvidia/select_gpu.inl>
#include <dformer/backend/cuda/nvidia/workspace.inl>

namespace dformer::cuda::library {

struct Context {
  explicit Context(const ContextOptions& given)
      : options(given),
        stream(reinterpret_cast<cudaStream_t>(given.stream)),
        workspace(given.ordinal, given.give_back),
        narrow_weight(given.ordinal, given.give_back) {
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
  std::map<ConvolutionKey, ConvolutionPlan> convolution_plans;
  Workspace workspace;
  Workspace narrow_weight;  ///< gradients of weights on their way from 16 bits to float32
};

namespace {

const ConvolutionPlan& plan(Context& context, const ConvolutionKey& key) {
  auto found = context.convolution_plans.find(key);
  if (found == context.convolution_plans.end()) {
    auto made = ConvolutionPlan::find(PlanTarget(context.convolutions.get()), key,
                                      {context.options.deterministic, context.options.allow_tf32});
    if (!made) {
      throw CudnnError(
          "[cuda] cuDNN has no algorithm for " + key.text() +
          (key.shape.type == DType::bfloat16 ? "; it needs compute capability 8.0 or later" : ""));
    }
    found = context.convolution_plans.emplace(key, std::move(*made)).first;
  }
  return found->second;
}

void run(Context& context, const ConvolutionKey& key, const void* x, const void* weight, const void* y) {
  runtime::make_current(context.options.ordinal);
  const ConvolutionPlan& found = plan(context, key);
  found.run(context.convolutions.get(), x, weight, y, context.workspace.reserve(found.workspace_bytes()));
}

template <class T>
void widen(const void* from, float* to, std::int64_t count, Stream stream) {
  convert(ConvertArgs<T, float>{static_cast<const T*>(from), to, count}, stream);
}

}  // namespace

Context* create_context(const ContextOptions& options) {
  runtime::make_current(options.ordinal);
  return new Context(options);
}
void destroy_context(Context* context) noexcept {
  if (context == nullptr) return;
  select_gpu(context->options.ordinal);
  static_cast<void>(cudaStreamSynchronize(context->stream));  // what runs still uses the workspace
  delete context;
}

void multiply(Context& context, const Product& product) {
  runtime::make_current(context.options.ordinal);
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
  run(context, {convolution, ConvolutionResult::y}, x, weight, y);
}

void convolve_input(Context& context, const Convolution& convolution, const void* dy, const void* weight,
                    void* dx) {
  run(context, {convolution, ConvolutionResult::dx}, dx, weight, dy);
}

/// cuDNN sums 16-bit factors in float32 but has no algorithm that keeps the sums so: they are rounded once,
/// at the end, and widened.
void convolve_weight(Context& context, const Convolution& convolution, const void* x, const void* dy,
                     float* dw) {
  const DType type = convolution.type;
  if (type == DType::float32) return run(context, {convolution, ConvolutionResult::dw}, x, dw, dy);
  runtime::make_current(context.options.ordinal);
  const std::int64_t count =
      convolution.outputs * convolution.window.kernel * convolution.window.kernel * convolution.inputs;
  void* const narrow = context.narrow_weight.reserve(static_cast<std::size_t>(count) * size_of(type));
  run(context, {convolution, ConvolutionResult::dw}, x, narrow, dy);
  if (type == DType::float16) {
    widen<half>(narrow, dw, count, context.options.stream);
  } else {
    widen<bfloat16>(narrow, dw, count, context.options.stream);
  }
}

}  // namespace dformer::cuda::library
