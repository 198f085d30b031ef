#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <cudnn_graph.h>

#include <dformer/backend/cuda/nvidia/handle.inl>

namespace dformer::cuda::library {

/// How cuDNN names the type of an attribute's elements.
template <class T>
constexpr cudnnBackendAttributeType_t attribute_type() {
  if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
  if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
  if constexpr (std::is_same_v<T, std::int64_t>) return CUDNN_TYPE_INT64;
  if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
  if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
  if constexpr (std::is_same_v<T, void*>) return CUDNN_TYPE_VOID_PTR;
}

/// One object of cuDNN's graphs: made of a kind, given attributes, finalized, and then asked for others.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t kind) {
    cudnnBackendDescriptor_t made = nullptr;
    require("cudnnBackendCreateDescriptor", cudnnBackendCreateDescriptor(kind, &made));
    handle_.reset(made);
  }
  cudnnBackendDescriptor_t get() const { return handle_.get(); }

  template <class T>
  void set(cudnnBackendAttributeName_t name, const T& value) {
    set_elements(name, attribute_type<T>(), 1, &value);
  }
  template <class T, std::size_t size>
  void set(cudnnBackendAttributeName_t name, const std::array<T, size>& values) {
    set_elements(name, attribute_type<T>(), size, values.data());
  }
  void set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    const cudnnBackendDescriptor_t element = other.get();
    set_elements(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &element);
  }

  /// Whether cuDNN takes the object as it is described.
  bool try_finalize() { return cudnnBackendFinalize(get()) == CUDNN_STATUS_SUCCESS; }
  /// Throws: CudnnError, with `what` was described.
  void finalize(const std::string& what) {
    require("cudnnBackendFinalize of " + what, cudnnBackendFinalize(get()));
  }

  std::int64_t integer(cudnnBackendAttributeName_t name) const {
    std::int64_t value = 0, count = 0;
    require("cudnnBackendGetAttribute",
            cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_INT64, 1, &count, &value));
    return value;
  }
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> result(static_cast<std::size_t>(most));
    std::int64_t count = 0;
    require("cudnnBackendGetAttribute",
            cudnnBackendGetAttribute(get(), name, attribute_type<T>(), most, &count, result.data()));
    result.resize(static_cast<std::size_t>(count));
    return result;
  }
  /// Objects of a kind that cuDNN fills in.
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name,
                                      cudnnBackendDescriptorType_t kind) const {
    std::int64_t count = 0;
    require("cudnnBackendGetAttribute",
            cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr));
    std::vector<Descriptor> result;
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::int64_t i = 0; i < count; ++i) handles.push_back(result.emplace_back(kind).get());
    require("cudnnBackendGetAttribute", cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                                                 count, &count, handles.data()));
    result.erase(result.begin() + count, result.end());
    return result;
  }

 private:
  void set_elements(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                    const void* elements) {
    require("cudnnBackendSetAttribute",
            cudnnBackendSetAttribute(get(), name, type, static_cast<std::int64_t>(count), elements));
  }

  Handle<cudnnBackendDescriptor_t, cudnnBackendDestroyDescriptor> handle_;
};

}  // namespace dformer::cuda::library
