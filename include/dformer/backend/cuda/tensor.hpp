#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <dformer/backend/cuda/device.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/half.hpp>
#include <dformer/core/shape.hpp>

namespace dformer::cuda {

/// What a tensor's elements are. Activations and weights have the backend's type; what is kept for each
/// channel (norms, biases, statistics), and gradients of parameters, are float32 whatever the backend's type
/// is.
enum class Elements : std::uint8_t { compute, full };

/// A handle on a dense row-major array in a GPU's memory. Copies share the elements; an empty handle is
/// false. The memory comes from the device's pool and goes back to it with the last handle.
template <class T>
class Tensor {
 public:
  using value_type = T;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, half> || std::is_same_v<T, bfloat16> ||
                    std::is_same_v<T, std::uint8_t>,
                "Tensor: elements on a GPU are float, half, bfloat16, or bytes");

  Tensor() = default;
  /// Throws: ShapeError for a negative extent or an impossible number of elements; CudaOutOfMemory.
  Tensor(const Device& device, const Shape& shape, Elements elements = Elements::compute)
      : storage_(std::make_shared<Storage>(device, bytes_of(shape, elements))),
        shape_(shape),
        elements_(kind(elements)) {}

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Device& device() const { return storage_->device; }

  /// Whether the elements are float32 though T is not.
  bool is_full() const { return elements_ == Elements::full; }
  Elements elements_kind() const { return elements_; }
  /// Elements in memory: those that the shape counts, as no layout here is padded.
  std::int64_t elements() const { return storage_ == nullptr ? 0 : shape_.numel(); }
  /// Their size in memory.
  std::size_t bytes() const {
    return static_cast<std::size_t>(elements()) * (is_full() ? sizeof(float) : sizeof(T));
  }

  /// Of a tensor that is not full.
  T* data() { return static_cast<T*>(memory()); }
  const T* data() const { return static_cast<const T*>(memory()); }
  /// Of a tensor whose elements are float32.
  float* full_data() { return static_cast<float*>(memory()); }
  const float* full_data() const { return static_cast<const float*>(memory()); }
  void* memory() { return storage_->block.memory; }
  const void* memory() const { return storage_->block.memory; }

  /// Whether another handle names the same elements.
  bool is_shared() const { return storage_.use_count() > 1; }

  /// The same elements under another shape with as many of them.
  Tensor with_shape(const Shape& shape) const {
    Tensor view(*this);
    view.shape_ = shape;
    return view;
  }

  /// The float32 copy of a half or bfloat16 weight that optimisers change (DeviceOptions::master_weights);
  /// empty where there is none. All handles on the elements share it.
  const std::shared_ptr<Tensor<float>>& master() const { return storage_->master; }
  void set_master(std::shared_ptr<Tensor<float>> master) { storage_->master = std::move(master); }

 private:
  struct Storage {
    Storage(const Device& on, std::size_t bytes)
        : device(on), pool(on.shared_memory()), block(pool->allocate(bytes)) {}
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    ~Storage() { pool->release(block); }
    Device device;
    std::shared_ptr<MemoryPool> pool;  // where the block comes from and returns to
    MemoryPool::Block block;
    std::shared_ptr<Tensor<float>> master;
  };
  /// There is one kind where T is float32 itself.
  static constexpr Elements kind(Elements elements) {
    return std::is_same_v<T, float> ? Elements::compute : elements;
  }
  static std::size_t bytes_of(const Shape& shape, Elements elements) {
    if (!shape.is_valid()) throw_shape_error("[Tensor] no tensor can have the shape " + to_string(shape));
    const std::size_t size = elements == Elements::full ? sizeof(float) : sizeof(T);
    return static_cast<std::size_t>(shape.numel()) * size;
  }

  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Elements elements_ = Elements::compute;
};

/// Operands of one operation must be of one Device, whose stream orders what is done with them. Throws:
/// ArgumentError.
template <class T, class... Others>
void require_one_device(const char* op, const Tensor<T>& first, const Others&... others) {
  if (((others.device() == first.device()) && ...)) return;
  throw_argument_error(
      std::string("[") + op +
      "] the operands belong to two Device objects, and nothing orders what is done on them; make "
      "inputs on the network's, dformer::device_of(net)");
}

/// The same of many.
template <class T>
void require_one_device(const char* op, std::span<const Tensor<T>> operands) {
  for (const Tensor<T>& operand : operands) require_one_device(op, operands.front(), operand);
}

/// Starts to set all elements to 0.
template <class T>
void fill_with_zeros(Tensor<T>& tensor) {
  if (tensor.bytes() == 0) return;
  runtime::fill_with_zeros(tensor.memory(), tensor.bytes(), tensor.device().stream());
}

/// The elements of an optional operand: null where it was left out.
template <class T>
const T* data_or_null(const Tensor<T>& tensor) {
  return tensor ? tensor.data() : nullptr;
}
template <class T>
const float* full_or_null(const Tensor<T>& tensor) {
  return tensor ? tensor.full_data() : nullptr;
}

}  // namespace dformer::cuda
