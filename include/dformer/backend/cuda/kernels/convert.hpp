#pragma once

#include <cstdint>

#include <dformer/backend/cuda/stream.hpp>
#include <dformer/core/half.hpp>

namespace dformer::cuda {

template <class From, class To>
struct ConvertArgs {
  const From* x;
  To* y;
  std::int64_t count;
};

/// y = x, rounded to the nearest. From float to any type, and from any type to float.
template <class From, class To>
void convert(const ConvertArgs<From, To>& args, Stream stream);

}  // namespace dformer::cuda
