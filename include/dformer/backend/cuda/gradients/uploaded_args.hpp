#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <dformer/backend/cuda/kernels/gradients/optimizer.hpp>
#include <dformer/backend/cuda/tensor.hpp>

namespace dformer::cuda {

/// What one kernel over many arrays is told of each, on the device. It may go once the kernel is started.
template <class Args>
class UploadedArgs {
 public:
  static_assert(std::is_trivially_copyable_v<Args>, "UploadedArgs: Args are copied to a GPU");

  UploadedArgs(const Device& device, std::vector<Args> args)
      : count_(static_cast<int>(args.size())),
        memory_(device, Shape{static_cast<std::int64_t>(args.size() * sizeof(Args))}) {
    for (Args& each : args) {
      each.first_chunk = chunks_;
      chunks_ += (each.elements() + elements_of_chunk - 1) / elements_of_chunk;
    }
    device.staging().upload(memory_.memory(), args.data(), args.size() * sizeof(Args), device.stream());
  }

  std::int64_t chunks() const { return chunks_; }
  ArgsList<Args> list() const { return {static_cast<const Args*>(memory_.memory()), count_, chunks_}; }

 private:
  int count_;
  std::int64_t chunks_ = 0;
  Tensor<std::uint8_t> memory_;
};

}  // namespace dformer::cuda
