#pragma once

#include <algorithm>
#include <cstdint>

#include <dformer/backend/cpu/tensor.hpp>

namespace dformer::cpu {

/// Runs a kernel over its tasks, each thread with memory of its own: `scratch` elements of T, made before the
/// threads start and handed over in `args.scratch`. What is found in it is undefined.
template <class T, class Args, class Kernel>
void run_with_scratch(const Device& device, std::int64_t tasks, std::int64_t scratch, const Args& args,
                      Kernel kernel) {
  const std::int64_t slots = std::min<std::int64_t>(tasks, std::int64_t{4} * device.threads());
  if (slots < 1) return;
  Tensor<T> memory(device, Shape{slots, scratch});
  T* const start = memory.data();
  device.parallel_for(slots, [&](std::int64_t begin, std::int64_t end) {
    Args own = args;
    for (std::int64_t slot = begin; slot < end; ++slot) {
      own.scratch = start + slot * scratch;
      kernel(own, tasks * slot / slots, tasks * (slot + 1) / slots);
    }
  });
}

}  // namespace dformer::cpu
