#pragma once

#if defined(DFORMER_HAS_CUDA)

#include <cstdint>
#include <vector>

#include "common/json.hpp"
#include <dformer/backend/cuda/measure/ceilings.hpp>
#include <dformer/cuda.hpp>
#include <dformer/eval/network_input.hpp>

namespace dformer::programs {

struct RunCounts {
  int warmup;
  int runs;
};

/// The GPU's times of a network captured for the size of `input`, without copies from and to the host.
template <class B, class Network>
std::vector<double> captured_times(const Network& network, const NetworkInput<typename B::Tensor>& input,
                                   const RunCounts& counts) {
  const auto values = [](const typename B::Tensor& tensor) {
    std::vector<float> host(static_cast<std::size_t>(tensor.shape().numel()));
    B::to_host(tensor, host);
    return host;
  };
  const Shape& shape = input.rgb.shape();
  cuda::Captured scores(network, {shape[0], shape[1], shape[2]});
  scores(values(input.rgb), values(input.depth));
  std::vector<double> times;
  for (int run = 0; run < counts.warmup + counts.runs; ++run) {
    const double taken = cuda::device_milliseconds(scores.device(), [&] { scores(); });
    if (run >= counts.warmup) times.push_back(taken);
  }
  return times;
}

/// What a network with these multiply-adds and bytes did in a time, beside what the GPU can do.
inline Json achieved(double milliseconds, double multiply_adds, double bytes,
                     const cuda::Ceilings& ceilings) {
  const double flops = 2 * multiply_adds / (milliseconds * 1e-3), moved = bytes / (milliseconds * 1e-3);
  return {{"flops", flops},
          {"flops_share", flops / ceilings.product_flops},
          {"bytes_per_second", moved},
          {"bytes_share", moved / ceilings.bytes}};
}

/// Adds to `result`, which has the network's operations and the times of `net`, what only a GPU has.
template <class B, class Network>
void add_gpu_figures(Json& result, const Network& network, const NetworkInput<typename B::Tensor>& input,
                     const RunCounts& counts, const cuda::CeilingSizes& sizes = {}) {
  const cuda::Device& device = input.rgb.device();
  device.synchronize();
  device.memory().trim();  // what ran op by op needs no more
  result.at("latency_ms")["graph"] = to_json(summarize_times(captured_times<B>(network, input, counts)));

  using T = typename B::Tensor::value_type;
  const cuda::Ceilings ceilings = cuda::measure_ceilings<T>(device.options(), sizes);
  result["ceilings"] = {{"product_flops", ceilings.product_flops},
                        {"tf32_flops", ceilings.tf32_flops},
                        {"float32_flops", ceilings.float32_flops},
                        {"bytes_per_second", ceilings.bytes}};
  const double multiply_adds = result.at("multiply_adds").at("full").get<double>();
  const double bytes = result.at("elements_moved").get<double>() * sizeof(T);
  result["fewest_bytes"] = bytes;
  for (const char* way : {"net", "graph"}) {
    const double median = result.at("latency_ms").at(way).at("p50").get<double>();
    result["achieved"][way] = achieved(median, multiply_adds, bytes, ceilings);
  }
}

}  // namespace dformer::programs

#endif
