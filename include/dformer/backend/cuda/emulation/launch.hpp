#pragma once

#include <string>

#include <dformer/backend/cuda/emulation/block.hpp>
#include <dformer/backend/cuda/emulation/shared_memory.hpp>
#include <dformer/backend/cuda/emulation/stream_queue.hpp>

namespace dformer::cuda::emulation {

/// The limits that every GPU of the last ten years has.
inline void require_possible(const char* name, const Dim3& blocks, int threads, std::size_t shared_bytes) {
  const std::string kernel = std::string("[") + name + "] ";
  if (threads < 32 || threads > 1024 || threads % 32 != 0) {
    throw Error(kernel + "a block must have 32, 64, … 1024 threads, not " + std::to_string(threads));
  }
  if (blocks.x > 0x7fffffffu || blocks.y > 65535u || blocks.z > 65535u) {
    throw Error(kernel + "a grid of that size is more than a GPU takes");
  }
  if (shared_bytes > std::size_t{99} * 1024) {
    throw Error(kernel + std::to_string(shared_bytes) +
                " bytes of shared memory are more than a block can have (99 KiB)");
  }
}

template <class Args>
void launch(const char* name, void (*kernel)(Args), const Dim3& blocks, int threads, std::size_t shared_bytes,
            Stream stream, const Args& args) {
  require_possible(name, blocks, threads, shared_bytes);
  if (stream->ordinal != current_ordinal) {
    throw Error("[" + std::string(name) + "] the kernel's stream is one of device " +
                std::to_string(stream->ordinal) + ", and this thread starts kernels on device " +
                std::to_string(current_ordinal));
  }
  enqueue(stream, [=] {
    struct Call {
      void (*kernel)(Args);
      Args args;
    } const call{kernel, args};
    Block block(static_cast<unsigned>(threads), stream->order);
    blockDim = {static_cast<unsigned>(threads), 1, 1};
    gridDim = blocks;
    SharedMemory& shared = SharedMemory::current();
    shared.resize(shared_bytes);
    for (unsigned z = 0; z < blocks.z; ++z) {
      for (unsigned y = 0; y < blocks.y; ++y) {
        for (unsigned x = 0; x < blocks.x; ++x) {
          blockIdx = {x, y, z};
          shared.forget();
          block.run(
              [](const void* context) {
                const auto& it = *static_cast<const Call*>(context);
                it.kernel(it.args);
              },
              &call);
        }
      }
    }
  });
}

}  // namespace dformer::cuda::emulation
