#pragma once

// What a kernel must do at least, and the time that this takes on a GPU with given ceilings.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <dformer/backend/cuda/measure/ceilings.hpp>

namespace dformer::benchmarks {

/// Where multiply-adds may be done: products of 16-bit or TF32 factors on tensor cores, all else one by one.
enum class Unit : std::uint8_t { float32, tf32, tensor_cores };

/// Of products of factors of T.
template <class T>
constexpr Unit product_unit = std::is_same_v<T, float> ? Unit::float32 : Unit::tensor_cores;

/// The fewest bytes that an operation must move, with each operand read once and each result written once
/// (what has a value for each channel is left out), and its multiply-adds.
struct Work {
  double bytes = 0;
  double multiply_adds = 0;
  Unit unit = Unit::float32;
};

/// The least time that a GPU could take for some work, and what bounds it.
struct Floor {
  double microseconds;
  std::string_view limit;
};

inline Floor floor_of(const Work& work, const cuda::Ceilings& ceilings) {
  const double flops = work.unit == Unit::float32 ? ceilings.float32_flops
                       : work.unit == Unit::tf32  ? ceilings.tf32_flops
                                                  : ceilings.product_flops;
  const double moving = work.bytes / ceilings.bytes * 1e6;
  const double computing = 2 * work.multiply_adds / flops * 1e6;
  if (moving >= computing) return {moving, "bytes"};
  return {computing, work.unit == Unit::float32 ? "float32" : work.unit == Unit::tf32 ? "tf32" : "products"};
}

}  // namespace dformer::benchmarks
