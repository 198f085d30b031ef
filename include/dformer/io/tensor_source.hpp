#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/shape.hpp>

namespace dformer {

/// Where the bytes of a file go, piece by piece.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// A tensor that is to be written. Its elements are asked for only when their turn comes, so that no file is
/// held in memory.
struct TensorSource {
  DType dtype = DType::float32;
  Shape shape;  ///< in PyTorch's order of axes; {} for a single number
  /// Gives the elements to `sink`, in one piece or several: row-major, little-endian, `size()` bytes in all.
  std::function<void(const ByteSink& sink)> content;

  /// In bytes.
  std::uint64_t size() const { return static_cast<std::uint64_t>(shape.numel()) * size_of(dtype); }
};

struct NamedTensor {
  std::string name;
  TensorSource tensor;
};

namespace detail {

static_assert(std::endian::native == std::endian::little, "values are written as they lie in memory");

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, double>) {
    return DType::float64;
  } else if constexpr (std::is_same_v<T, float>) {
    return DType::float32;
  } else if constexpr (std::is_same_v<T, bool>) {
    return DType::boolean;
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return DType::uint8;
  } else {
    static_assert(std::is_integral_v<T> && std::is_signed_v<T>, "no tensor has elements of this type");
    return sizeof(T) == 8   ? DType::int64
           : sizeof(T) == 4 ? DType::int32
           : sizeof(T) == 2 ? DType::int16
                            : DType::int8;
  }
}

}  // namespace detail

/// A tensor of host values, which are viewed: they must stay as they are until the file is written.
template <class T>
TensorSource tensor_view(const Shape& shape, std::span<const T> values) {
  return {detail::dtype_of<T>(), shape, [values](const ByteSink& sink) { sink(std::as_bytes(values)); }};
}
template <class T>
TensorSource tensor_view(const Shape& shape, const std::vector<T>& values) {
  return tensor_view(shape, std::span<const T>(values));
}
template <class T>
TensorSource tensor_view(const Shape& shape, std::vector<T>&& values) = delete;  // gone before it is written

/// A tensor that keeps its values itself.
template <class T>
TensorSource tensor_of(const Shape& shape, std::vector<T> values) {
  const auto kept = std::make_shared<const std::vector<T>>(std::move(values));
  return {detail::dtype_of<T>(), shape,
          [kept](const ByteSink& sink) { sink(std::as_bytes(std::span(*kept))); }};
}

/// A tensor of a single number, such as a counter or an optimizer's step.
template <class T>
requires std::is_arithmetic_v<T> TensorSource tensor_of(T value) {
  return {detail::dtype_of<T>(), {}, [value](const ByteSink& sink) {
            sink(std::as_bytes(std::span(&value, 1)));
          }};
}

namespace io {

/// Gives a tensor's content to a file. Throws: ArgumentError if there is none, or not of the tensor's size.
inline void give_content(const NamedTensor& entry, std::string_view function, const ByteSink& sink) {
  const TensorSource& tensor = entry.tensor;
  const auto fail = [&](const std::string& what) {
    throw_argument_error("[" + std::string(function) + "] tensor '" + entry.name + "' of shape " +
                         to_string(tensor.shape) + " " + what);
  };
  if (!tensor.content || !tensor.shape.is_valid()) fail("has no content or cannot exist");
  const std::uint64_t size = tensor.size();
  std::uint64_t given = 0;
  tensor.content([&](std::span<const std::byte> bytes) {
    given += bytes.size();
    if (given <= size) sink(bytes);
  });
  if (given != size) fail("needs " + std::to_string(size) + " bytes, got " + std::to_string(given));
}

}  // namespace io

}  // namespace dformer
