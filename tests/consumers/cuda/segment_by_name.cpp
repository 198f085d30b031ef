// As segment.cpp, of a network whose name is given when the program runs.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <dformer/cuda.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

int main(int argc, char** argv) {
  using namespace dformer;
  using B = Cuda<bfloat16>;
  try {
    const cuda::Device device;
    const auto network = make_segmenter<B>(argc > 1 ? argv[1] : "DFormerv2_S");
    initialize(*network, 1, device);
    const std::vector<float> rgb(std::size_t{64} * 96 * 3), depth(std::size_t{64} * 96);
    const auto scores =
        (*network)(B::from_host(device, {1, 64, 96, 3}, rgb), B::from_host(device, {1, 64, 96, 1}, depth));
    std::printf("scores of %s\n", to_string(scores.shape()).c_str());
    return 0;
  } catch (const CudaError& error) {
    std::printf("%s\n", error.what());
    return cuda::runtime::device_count() == 0 ? 0 : 1;
  }
}
