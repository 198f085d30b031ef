#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/backend/window.hpp>
#include <dformer/core/dtype.hpp>

/// What the backend asks of cuBLASLt and cuDNN, in plain types. dformer::cuda answers with them,
/// dformer::cuda_emulation with the CPU backend. All matrices and images are dense; sums are made in float32.
namespace dformer::cuda::library {

/// Handles, workspaces and the plans found for each shape, for one stream.
struct Context;
struct ContextOptions {
  int ordinal;
  Stream stream;
  bool deterministic;
  bool allow_tf32;
  /// Gives memory back that is kept for tensors to come, when there is none for a workspace.
  std::function<void()> give_back;
};
Context* create_context(const ContextOptions& options);
void destroy_context(Context* context) noexcept;
struct ContextDeleter {
  void operator()(Context* context) const noexcept { destroy_context(context); }
};
using OwnedContext = std::unique_ptr<Context, ContextDeleter>;

/// y [rows, columns] = op(a) op(b) + beta * y + bias, row-major, where op may transpose. The last axis of
/// op(a) and the first of op(b) have `depth` elements. `leading_*` are the steps from row to row of a, b and
/// y as they are stored. No extent is 0.
struct Product {
  DType type;         ///< of a and b: float32, float16 or bfloat16
  DType result_type;  ///< of y: `type` or float32
  const void* a;
  const void* b;
  void* y;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t depth;
  bool transpose_a;
  bool transpose_b;
  std::int64_t leading_a;
  std::int64_t leading_b;
  std::int64_t leading_y;
  float beta;
  const void* bias;  ///< [columns], of result_type; null: none
};
void multiply(Context& context, const Product& product);

/// A convolution of images x [N, H, W, I] with weights [O, k, k, I] to y [N, H', W', O]. No extent is 0.
struct Convolution {
  DType type;  ///< of x, weight and y
  std::int64_t images, height, width, inputs;
  std::int64_t y_height, y_width, outputs;
  Window window;
};
void convolve(Context& context, const Convolution& convolution, const void* x, const void* weight, void* y);
/// The gradient of x.
void convolve_input(Context& context, const Convolution& convolution, const void* dy, const void* weight,
                    void* dx);
/// The gradient of the weight, [O, k, k, I] in float32.
void convolve_weight(Context& context, const Convolution& convolution, const void* x, const void* dy,
                     float* dw);

}  // namespace dformer::cuda::library
