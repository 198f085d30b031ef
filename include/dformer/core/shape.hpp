#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include <dformer/core/error.hpp>

namespace dformer {

/// The extents of a tensor, outermost first: images are `[N, H, W, C]`. Kept inline; at most `max_rank` of
/// them.
class Shape {
 public:
  static constexpr int max_rank = 6;

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<std::int64_t> extents) {
    if (extents.size() > max_rank) throw_shape_error("[Shape] at most 6 extents, got more");
    for (std::int64_t extent : extents) push_back(extent);
  }

  constexpr int rank() const { return rank_; }
  constexpr std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  constexpr std::int64_t& operator[](int axis) { return extents_[static_cast<std::size_t>(axis)]; }
  constexpr std::int64_t back() const { return (*this)[rank_ - 1]; }

  constexpr void push_back(std::int64_t extent) {
    if (rank_ == max_rank) throw_shape_error("[Shape] at most 6 extents");
    extents_[static_cast<std::size_t>(rank_++)] = extent;
  }

  constexpr const std::int64_t* begin() const { return extents_.data(); }
  constexpr const std::int64_t* end() const { return extents_.data() + rank_; }

  /// Whether no extent is negative and the number of elements fits 62 bits, as a tensor needs.
  constexpr bool is_valid() const {
    std::int64_t n = 1;
    for (std::int64_t extent : *this) {
      if (extent < 0 || (extent != 0 && n > (std::int64_t{1} << 62) / extent)) return false;
      n *= extent;
    }
    return true;
  }

  /// Number of elements; 1 for a scalar (rank 0).
  constexpr std::int64_t numel() const {
    std::int64_t n = 1;
    for (std::int64_t extent : *this) n *= extent;
    return n;
  }

  /// The same shape with another last extent: what a linear layer or a concatenation of channels gives.
  constexpr Shape with_back(std::int64_t extent) const {
    Shape shape = *this;
    shape[rank_ - 1] = extent;
    return shape;
  }

  /// Number of rows when the last extent is taken as the row: N*H*W of an image tensor.
  constexpr std::int64_t rows() const {
    std::int64_t n = 1;
    for (const std::int64_t* extent = begin(); extent + 1 < end(); ++extent) n *= *extent;
    return n;
  }

  friend constexpr bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank_; ++axis) {
      if (a[axis] != b[axis]) return false;
    }
    return true;
  }

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

/// "(2, 60, 80, 512)"; "()" for a scalar.
inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text += ")";
}

}  // namespace dformer
