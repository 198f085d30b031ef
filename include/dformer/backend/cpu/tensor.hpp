#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <dformer/backend/cpu/device.hpp>
#include <dformer/core/shape.hpp>

namespace dformer::cpu {

/// A handle on a dense row-major array. Copies share the elements; an empty handle (no elements) is false.
/// The block comes from the device's memory pool and goes back to it with the last handle.
template <class T>
class Tensor {
 public:
  using value_type = T;

  Tensor() = default;
  /// Throws: ShapeError for a negative extent or an impossible number of elements; std::bad_alloc.
  Tensor(const Device& device, const Shape& shape) : Tensor(device, shape, count_of(shape)) {}

  /// For layouts that keep more elements than the shape counts (padding of packed weights).
  Tensor(const Device& device, const Shape& shape, std::int64_t elements) : shape_(shape) {
    const std::size_t bytes = header_bytes + static_cast<std::size_t>(elements) * sizeof(T);
    const MemoryPool::Block block = device.memory().allocate(bytes);
    header_ = new (block.memory) Header{device, block.bytes, elements, {1}};
  }

  Tensor(const Tensor& other) noexcept : header_(other.header_), shape_(other.shape_) { retain(); }
  Tensor(Tensor&& other) noexcept : header_(std::exchange(other.header_, nullptr)), shape_(other.shape_) {
    other.shape_ = Shape();
  }
  Tensor& operator=(Tensor other) noexcept {
    std::swap(header_, other.header_);
    std::swap(shape_, other.shape_);
    return *this;
  }
  ~Tensor() { release(); }

  explicit operator bool() const { return header_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Device& device() const { return header_->device; }

  /// Elements in memory; more than shape().numel() for packed weights.
  std::int64_t elements() const { return header_ == nullptr ? 0 : header_->elements; }

  T* data() { return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(header_) + header_bytes); }
  const T* data() const {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(header_) + header_bytes);
  }

  /// Whether another handle names the same elements.
  bool is_shared() const {
    return header_ != nullptr && header_->references.load(std::memory_order_acquire) > 1;
  }

  /// The same elements under another shape with as many of them.
  Tensor with_shape(const Shape& shape) const {
    Tensor view(*this);
    view.shape_ = shape;
    return view;
  }

 private:
  struct Header {
    Device device;  // keeps the pool alive that the block returns to
    std::size_t bytes;
    std::int64_t elements;
    std::atomic<int> references;
  };
  static std::int64_t count_of(const Shape& shape) {
    if (!shape.is_valid()) throw_shape_error("[Tensor] no tensor can have the shape " + to_string(shape));
    return shape.numel();
  }
  static constexpr std::size_t header_bytes = MemoryPool::alignment;
  static_assert(sizeof(Header) <= header_bytes);

  void retain() const noexcept {
    if (header_ != nullptr) header_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    if (header_ == nullptr || header_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const Device device = std::move(header_->device);
    const MemoryPool::Block block{header_, header_->bytes};
    header_->~Header();
    device.memory().release(block);
  }

  Header* header_ = nullptr;
  Shape shape_;
};

/// The elements of an optional operand: null where it was left out.
template <class T>
const T* data_or_null(const Tensor<T>& tensor) {
  return tensor ? tensor.data() : nullptr;
}

}  // namespace dformer::cpu
