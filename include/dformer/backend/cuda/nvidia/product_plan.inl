#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

#include <cublasLt.h>

#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/nvidia/handle.inl>

namespace dformer::cuda::library {

/// What the choice of an algorithm depends on.
struct ProductKey {
  Product shape;  ///< its pointers are those of the first call
  bool has_bias;
  std::uint32_t align_a, align_b, align_y;

  explicit ProductKey(const Product& product)
      : shape(product),
        has_bias(product.bias != nullptr),
        align_a(alignment(product.a)),
        align_b(alignment(product.b)),
        align_y(alignment(product.y)) {}

  auto fields() const {
    return std::make_tuple(shape.type, shape.result_type, shape.rows, shape.columns, shape.depth,
                           shape.transpose_a, shape.transpose_b, shape.leading_a, shape.leading_b,
                           shape.leading_y, shape.beta != 0.0f, has_bias, align_a, align_b, align_y);
  }
  friend bool operator<(const ProductKey& left, const ProductKey& right) {
    return left.fields() < right.fields();
  }

 private:
  /// The power of two that an address is a multiple of, at most 256.
  static std::uint32_t alignment(const void* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    return address == 0 ? 256 : static_cast<std::uint32_t>(std::min<std::uintptr_t>(address & -address, 256));
  }
};

/// How cuBLASLt multiplies matrices of one kind. It counts along columns where we count along rows: what we
/// call y [rows, columns] is its transpose [columns, rows], the product of op(b) and op(a) in that order.
class ProductPlan {
 public:
  static constexpr std::size_t most_workspace = std::size_t{32} << 20;

  /// Throws: CublasError where no algorithm is found.
  ProductPlan(cublasLtHandle_t library, const ProductKey& key, bool allow_tf32) {
    const Product& p = key.shape;
    const bool tf32 = allow_tf32 && p.type == DType::float32;
    cublasLtMatmulDesc_t operation = nullptr;
    require("cublasLtMatmulDescCreate",
            cublasLtMatmulDescCreate(&operation, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                                     CUDA_R_32F));
    operation_.reset(operation);
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    if (key.has_bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    }
    b_ =
        layout(p.type, p.transpose_b ? p.depth : p.columns, p.transpose_b ? p.columns : p.depth, p.leading_b);
    a_ = layout(p.type, p.transpose_a ? p.rows : p.depth, p.transpose_a ? p.depth : p.rows, p.leading_a);
    y_ = layout(p.result_type, p.columns, p.rows, p.leading_y);
    choose(library, key);
  }

  std::size_t workspace_bytes() const { return workspace_bytes_; }

  void run(cublasLtHandle_t library, const Product& p, void* workspace, cudaStream_t stream) {
    if (p.bias != nullptr) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    const float alpha = 1.0f;
    require("cublasLtMatmul",
            cublasLtMatmul(library, operation_.get(), &alpha, p.b, b_.get(), p.a, a_.get(), &p.beta, p.y,
                           y_.get(), p.y, y_.get(), &algorithm_, workspace, workspace_bytes_, stream));
  }

 private:
  using Layout = Handle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
  using Preference = Handle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

  static cudaDataType_t data_type(DType type) {
    if (type == DType::float32) return CUDA_R_32F;
    return type == DType::float16 ? CUDA_R_16F : CUDA_R_16BF;
  }
  /// Rows and columns as cuBLASLt counts them.
  static Layout layout(DType type, std::int64_t rows, std::int64_t columns, std::int64_t leading) {
    cublasLtMatrixLayout_t made = nullptr;
    require("cublasLtMatrixLayoutCreate",
            cublasLtMatrixLayoutCreate(&made, data_type(type), static_cast<std::uint64_t>(rows),
                                       static_cast<std::uint64_t>(columns), leading));
    return Layout(made);
  }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    require("cublasLtMatmulDescSetAttribute",
            cublasLtMatmulDescSetAttribute(operation_.get(), attribute, &value, sizeof value));
  }
  template <class T>
  static void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
                  const T& value) {
    require("cublasLtMatmulPreferenceSetAttribute",
            cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof value));
  }

  /// Takes what the heuristics put first. Where a sum is cut in parts, they are added in float32 and in one
  /// order, so that the result is the same at each run and no sum is rounded to 16 bits.
  void choose(cublasLtHandle_t library, const ProductKey& key) {
    cublasLtMatmulPreference_t made = nullptr;
    require("cublasLtMatmulPreferenceCreate", cublasLtMatmulPreferenceCreate(&made));
    const Preference preference(made);
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most_workspace);
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.align_b);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.align_a);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.align_y);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.align_y);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const std::string what = "cublasLtMatmulAlgoGetHeuristic for [" + std::to_string(key.shape.rows) + ", " +
                             std::to_string(key.shape.depth) + "] by [" + std::to_string(key.shape.depth) +
                             ", " + std::to_string(key.shape.columns) + "] in " +
                             std::string(to_string(key.shape.type));
    require(what, cublasLtMatmulAlgoGetHeuristic(library, operation_.get(), b_.get(), a_.get(), y_.get(),
                                                 y_.get(), preference.get(), 1, &found, &count));
    require(what, count == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : found.state);
    algorithm_ = found.algo;
    workspace_bytes_ = found.workspaceSize;
  }

  Handle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> operation_;
  Layout a_, b_, y_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_bytes_ = 0;
};

}  // namespace dformer::cuda::library
