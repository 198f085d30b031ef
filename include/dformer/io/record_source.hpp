#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/core/error.hpp>
#include <dformer/io/tensor_record.hpp>
#include <dformer/io/tensor_source.hpp>

namespace dformer {

namespace detail {

/// Gathers values and gives them on in pieces, so that no tensor is held twice.
template <class T>
class PiecewiseSink {
 public:
  explicit PiecewiseSink(const ByteSink& sink) : sink_(sink) { piece_.reserve(piece_size); }
  PiecewiseSink(const PiecewiseSink&) = delete;
  PiecewiseSink& operator=(const PiecewiseSink&) = delete;

  void add(T value) {
    piece_.push_back(value);
    if (piece_.size() == piece_size) flush();
  }
  void flush() {
    sink_(std::as_bytes(std::span(piece_)));
    piece_.clear();
  }

 private:
  static constexpr std::size_t piece_size = std::size_t{1} << 16;

  const ByteSink& sink_;
  std::vector<T> piece_;
};

inline void give_bits(const TensorRecord& record, const ByteSink& sink) {
  const std::size_t element = size_of(record.dtype);
  if (record.contiguous() && (record.byte_order == std::endian::little || element == 1)) {
    const auto size = static_cast<std::size_t>(record.numel()) * element;
    if (size > 0) sink(record.storage.subspan(static_cast<std::size_t>(record.offset) * element, size));
    return;
  }
  const auto gather = [&]<class Unsigned>(std::type_identity<Unsigned>) {
    PiecewiseSink<Unsigned> pieces(sink);
    for_each_place(record, [&](std::size_t place) { pieces.add(bits_at<Unsigned>(record, place)); });
    pieces.flush();
  };
  switch (element) {
    case 1:
      return gather(std::type_identity<std::uint8_t>{});
    case 2:
      return gather(std::type_identity<std::uint16_t>{});
    case 4:
      return gather(std::type_identity<std::uint32_t>{});
    default:
      return gather(std::type_identity<std::uint64_t>{});
  }
}

/// Gives the elements as `Stored`, and `overflowed` how many finite ones `encode` made infinite.
template <class Stored, class Encode, class IsInfinite>
void give_encoded(const TensorRecord& record, const ByteSink& sink, Encode encode, IsInfinite is_infinite,
                  const std::function<void(std::uint64_t)>& overflowed) {
  PiecewiseSink<Stored> pieces(sink);
  std::uint64_t count = 0;
  for_each_element(record, [&](auto element) {
    const auto value = static_cast<float>(element);
    const Stored stored = encode(value);
    if (is_infinite(stored) && std::isfinite(static_cast<double>(element))) ++count;
    pieces.add(stored);
  });
  pieces.flush();
  if (count > 0 && overflowed) overflowed(count);
}

}  // namespace detail

/// A tensor of a checkpoint as one to be written: its very bits, row-major. The Checkpoint must live until
/// then.
inline TensorSource record_source(const TensorRecord& record) {
  return {record.dtype, record.shape, [record](const ByteSink& sink) { detail::give_bits(record, sink); }};
}

/// The same with its elements as float32, float16 or bfloat16, each the nearest, of two the even one (float64
/// by way of float32). Beyond the type's range they become infinite; how many do is told to `overflowed`,
/// which may be empty, when the tensor is written. Throws: ArgumentError unless both types are floating-point
/// and `dtype` one of these.
inline TensorSource record_source(const TensorRecord& record, DType dtype,
                                  const std::function<void(std::uint64_t)>& overflowed = {}) {
  if (dtype == record.dtype) return record_source(record);
  if (!is_floating_point(record.dtype) || !is_floating_point(dtype) || dtype == DType::float64) {
    throw_argument_error("[record_source] tensor '" + record.name + "' is " +
                         std::string(to_string(record.dtype)) + " and cannot be written as " +
                         std::string(to_string(dtype)) +
                         "; floating-point ones can, as float32, float16 or bfloat16");
  }
  return {dtype, record.shape, [record, dtype, overflowed](const ByteSink& sink) {
            if (dtype == DType::float32) {
              detail::give_encoded<float>(
                  record, sink, [](float value) { return value; },
                  [](float value) { return std::isinf(value); }, overflowed);
            } else if (dtype == DType::float16) {
              detail::give_encoded<std::uint16_t>(
                  record, sink, float_to_half, [](std::uint16_t bits) { return (bits & 0x7fffu) == 0x7c00u; },
                  overflowed);
            } else {
              detail::give_encoded<std::uint16_t>(
                  record, sink, float_to_bfloat16,
                  [](std::uint16_t bits) { return (bits & 0x7fffu) == 0x7f80u; }, overflowed);
            }
          }};
}

}  // namespace dformer
