#pragma once

#include <cstdio>
#include <string>

#include "common/json.hpp"

namespace dformer::programs {

inline void print_table_head(bool gpu) {
  std::printf("%-14s %8s %17s %17s %26s %20s %17s", "", "params", "multiply-adds, G", "start, ms",
              "total, ms", "p50, ms", "peak, MB");
  std::printf(gpu ? " %7s %26s\n" : "\n", "p50, ms", "graph, and of ceiling");
  std::printf("%-14s %8s %8s %8s %8s %8s %8s %8s %8s %6s %7s %5s %8s %8s", "model", "M", "papers", "full",
              "setup", "cold", "p50", "p90", "p99", "pre", "net", "post", "process", "pool");
  std::printf(gpu ? " %7s %8s %4s %7s %4s\n" : "\n", "graph", "TFLOP/s", "", "GB/s", "");
}

inline void print_table_row(const Json& result) {
  const Json& count = result.at("multiply_adds");
  const Json& times = result.at("latency_ms");
  const Json& memory = result.at("memory_bytes");
  const auto in = [](const Json& value, double unit) { return value.get<double>() / unit; };
  const auto p50 = [&](const char* phase) { return times.at(phase).at("p50").get<double>(); };
  const Json& total = times.at("total");
  const bool gpu = result.contains("ceilings");
  // A GPU's milliseconds are few.
  std::printf(gpu ? "%-14s %8.2f %8.2f %8.2f %8.0f %8.1f %8.2f %8.2f %8.2f %6.2f %7.2f %5.2f %8.0f %8.0f"
                  : "%-14s %8.2f %8.2f %8.2f %8.0f %8.1f %8.1f %8.1f %8.1f %6.1f %7.1f %5.1f %8.0f %8.0f",
              result.at("model").get<std::string>().c_str(), in(result.at("parameters"), 1e6),
              in(count.at("papers"), 1e9), in(count.at("full"), 1e9), in(times.at("setup"), 1),
              in(times.at("cold"), 1), p50("total"), in(total.at("p90"), 1), in(total.at("p99"), 1),
              p50("pre"), p50("net"), p50("post"), in(memory.at("process_peak"), 1e6),
              in(memory.at("pool_peak"), 1e6));
  if (gpu) {
    const Json& achieved = result.at("achieved").at("graph");
    std::printf(" %7.2f %8.1f %3.0f%% %7.0f %3.0f%%", p50("graph"), in(achieved.at("flops"), 1e12),
                in(achieved.at("flops_share"), 0.01), in(achieved.at("bytes_per_second"), 1e9),
                in(achieved.at("bytes_share"), 0.01));
  }
  std::printf("\n");
  std::fflush(stdout);
}

inline void print_table_foot(const Json& result) {
  std::printf(
      "\npapers  linear layers and convolutions, what papers on this subject call FLOPs\n"
      "full    with attention (scores and their products with the values) and the factorization of the head\n"
      "setup   making the network and its random weights; cold: the first image after that\n"
      "pre     normalising the images; net: to class scores; post: scores to labels at the size of the "
      "image\n"
      "pool    tensors of the network, its weights among them; process: all memory of a process for this "
      "network\n");
  if (!result.contains("ceilings")) return;
  const Json& ceilings = result.at("ceilings");
  std::printf(
      "graph   net as one call of the driver; of that twice the full multiply-adds, and the fewest bytes,\n"
      "        a second, and their shares of what large products and copies reached on this GPU: %.1f "
      "TFLOP/s, %.0f GB/s\n",
      ceilings.at("product_flops").get<double>() / 1e12, ceilings.at("bytes_per_second").get<double>() / 1e9);
}

}  // namespace dformer::programs
