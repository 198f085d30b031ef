#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

/// A named tensor of a checkpoint: a strided view of bytes that the Checkpoint keeps alive.
struct TensorRecord {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
  Shape strides;                       ///< in elements; as many as extents
  std::int64_t offset = 0;             ///< in elements: where the first one lies in `storage`
  std::span<const std::byte> storage;  ///< may be shared with other tensors
  std::endian byte_order = std::endian::little;

  std::int64_t numel() const { return shape.numel(); }

  /// Whether the elements lie one behind the other in row-major order.
  bool contiguous() const {
    std::int64_t expected = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (shape[axis] != 1 && strides[axis] != expected) return false;
      expected *= shape[axis];
    }
    return true;
  }

  /// Writes the elements in row-major order, converted: integers and float64 are rounded, booleans become 0
  /// and 1. Throws: ArgumentError if `values` has another size than the tensor.
  void to_float32(std::span<float> values) const;
  std::vector<float> to_float32() const;

  /// Throws: ArgumentError if `values` has another size than the tensor, or if an element is no integer.
  void to_int64(std::span<std::int64_t> values) const;
  std::vector<std::int64_t> to_int64() const;
};

/// Row-major strides of a shape, in elements.
inline Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

namespace detail {

template <std::size_t Size>
using Bits =
    std::conditional_t<Size == 1, std::uint8_t,
                       std::conditional_t<Size == 2, std::uint16_t,
                                          std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

template <class Unsigned>
constexpr Unsigned swap_bytes(Unsigned bits) {
  Unsigned swapped = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    swapped =
        static_cast<Unsigned>((std::uint64_t{swapped} << 8) | ((std::uint64_t{bits} >> (8 * i)) & 0xffu));
  }
  return swapped;
}

/// Calls `visit` with the place in `storage` of every element of a record, in row-major order, counted in
/// elements.
template <class Visit>
void for_each_place(const TensorRecord& record, Visit visit) {
  const int rank = record.shape.rank();
  const std::int64_t row = rank == 0 ? 1 : record.shape.back();
  const std::int64_t row_stride = rank == 0 ? 1 : record.strides[rank - 1];
  Shape position = record.shape;
  for (int axis = 0; axis < rank; ++axis) position[axis] = 0;
  std::int64_t start = record.offset;
  for (std::int64_t rows = record.numel() == 0 ? 0 : record.numel() / row; rows > 0; --rows) {
    for (std::int64_t i = 0; i < row; ++i) visit(static_cast<std::size_t>(start + i * row_stride));
    for (int axis = rank - 2; axis >= 0; --axis) {  // the next row
      start += record.strides[axis];
      if (++position[axis] < record.shape[axis]) break;
      start -= position[axis] * record.strides[axis];
      position[axis] = 0;
    }
  }
}

/// The bits of the element at a place of `storage`, in the order of this machine.
template <class Unsigned>
Unsigned bits_at(const TensorRecord& record, std::size_t place) {
  Unsigned bits;
  std::memcpy(&bits, record.storage.data() + place * sizeof(bits), sizeof(bits));
  return record.byte_order == std::endian::native ? bits : swap_bytes(bits);
}

/// Calls `visit` with every element of a record, in row-major order, as the native type of its dtype.
template <class Visit>
void for_each_element(const TensorRecord& record, Visit visit) {
  const auto walk = [&]<class Stored, class Decode>(std::type_identity<Stored>, Decode decode) {
    for_each_place(record, [&](std::size_t place) {
      visit(decode(std::bit_cast<Stored>(bits_at<Bits<sizeof(Stored)>>(record, place))));
    });
  };
  const auto as_stored = [](auto value) { return value; };
  switch (record.dtype) {
    case DType::float64:
      return walk(std::type_identity<double>{}, as_stored);
    case DType::float32:
      return walk(std::type_identity<float>{}, as_stored);
    case DType::float16:
      return walk(std::type_identity<std::uint16_t>{}, half_to_float);
    case DType::bfloat16:
      return walk(std::type_identity<std::uint16_t>{}, bfloat16_to_float);
    case DType::int64:
      return walk(std::type_identity<std::int64_t>{}, as_stored);
    case DType::int32:
      return walk(std::type_identity<std::int32_t>{}, as_stored);
    case DType::int16:
      return walk(std::type_identity<std::int16_t>{}, as_stored);
    case DType::int8:
      return walk(std::type_identity<std::int8_t>{}, as_stored);
    case DType::uint8:
      return walk(std::type_identity<std::uint8_t>{}, as_stored);
    case DType::boolean:
      return walk(std::type_identity<std::uint8_t>{}, [](std::uint8_t byte) { return byte != 0; });
  }
}

inline void check_room(const TensorRecord& record, std::size_t room, const char* function) {
  if (room == static_cast<std::size_t>(record.numel())) return;
  std::string text = "[";
  text += function;
  text += "] tensor '" + record.name + "' has shape " + to_string(record.shape) + ", room for ";
  text += std::to_string(record.numel()) + " elements expected, got " + std::to_string(room);
  throw_argument_error(text);
}

}  // namespace detail

inline void TensorRecord::to_float32(std::span<float> values) const {
  detail::check_room(*this, values.size(), "to_float32");
  if (values.empty()) return;
  if (dtype == DType::float32 && byte_order == std::endian::native && contiguous()) {
    std::memcpy(values.data(), storage.data() + static_cast<std::size_t>(offset) * sizeof(float),
                values.size_bytes());
    return;
  }
  float* next = values.data();
  detail::for_each_element(*this, [&next](auto element) { *next++ = static_cast<float>(element); });
}

inline std::vector<float> TensorRecord::to_float32() const {
  std::vector<float> values(static_cast<std::size_t>(numel()));
  to_float32(values);
  return values;
}

inline void TensorRecord::to_int64(std::span<std::int64_t> values) const {
  detail::check_room(*this, values.size(), "to_int64");
  std::int64_t* next = values.data();
  detail::for_each_element(*this, [&](auto element) {
    if constexpr (std::is_floating_point_v<decltype(element)>) {
      // The bounds are exact as float and double: -2^63 is representable, 2^63 is the first value too large.
      const bool fits = element >= -0x1p63 && element < 0x1p63;
      if (!fits || static_cast<decltype(element)>(static_cast<std::int64_t>(element)) != element) {
        throw_argument_error("[to_int64] tensor '" + name + "' holds " + std::to_string(element) +
                             ", integers expected");
      }
    }
    *next++ = static_cast<std::int64_t>(element);
  });
}

inline std::vector<std::int64_t> TensorRecord::to_int64() const {
  std::vector<std::int64_t> values(static_cast<std::size_t>(numel()));
  to_int64(values);
  return values;
}

}  // namespace dformer
