// A network on a GPU, or on a machine without one the sentence that says so.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <dformer/cuda.hpp>
#include <dformer/models/variants.hpp>
#include <dformer/nn/initialize.hpp>

int main() {
  using namespace dformer;
  try {
    DFormer_Tiny<Cuda<half>> network;
    initialize(network, 1);
    auto labels = cuda::capture_labels(network, {1, 64, 96});
    const std::vector<float> rgb(std::size_t{64} * 96 * 3), depth(std::size_t{64} * 96);
    const auto& result = labels(rgb, depth);
    labels.device().synchronize();
    std::printf("labels of %s pixels\n", to_string(result.shape()).c_str());
    return 0;
  } catch (const CudaError& error) {
    std::printf("%s\n", error.what());
    return cuda::runtime::device_count() == 0 ? 0 : 1;
  }
}
