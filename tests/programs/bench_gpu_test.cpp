// What dformer_bench says of a network on a GPU, on the emulated one.
#include <vector>

#include <dformer_bench_gpu.hpp>
#include <gtest/gtest.h>
#include <support/small_network.hpp>

#include <dformer/nn/initialize.hpp>

namespace dformer::programs {
namespace {

TEST(BenchOnAGpu, AddsTimesAndSharesToWhatWasMeasured) {
  using B = Cuda<half>;
  const cuda::Device device;
  testing::SmallNetwork<B> network;
  initialize(network, 1, device);
  const std::vector<float> color(32 * 32 * 3, 0.5f), depth(32 * 32, 0.25f);
  const NetworkInput<B::Tensor> input{B::from_host(device, {1, 32, 32, 3}, color),
                                      B::from_host(device, {1, 32, 32, 1}, depth)};
  Json result{{"multiply_adds", {{"full", 1e6}}},
              {"elements_moved", 2000},
              {"latency_ms", {{"net", {{"p50", 4.0}}}}}};
  add_gpu_figures<B>(result, network, input, {.warmup = 1, .runs = 3},
                     {.extent = 16, .copied_bytes = 1 << 12, .runs = 1});

  EXPECT_GT(result.at("latency_ms").at("graph").at("p50").get<double>(), 0.0);
  EXPECT_EQ(result.at("fewest_bytes").get<double>(), 4000.0);
  const Json& net = result.at("achieved").at("net");
  EXPECT_DOUBLE_EQ(net.at("flops").get<double>(), 2e6 / 4e-3);
  EXPECT_DOUBLE_EQ(net.at("bytes_per_second").get<double>(), 4000.0 / 4e-3);
  const double ceiling = result.at("ceilings").at("bytes_per_second").get<double>();
  EXPECT_DOUBLE_EQ(net.at("bytes_share").get<double>(), net.at("bytes_per_second").get<double>() / ceiling);
  EXPECT_TRUE(result.at("achieved").at("graph").contains("flops_share"));
}

}  // namespace
}  // namespace dformer::programs
