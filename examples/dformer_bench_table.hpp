#pragma once

#include <cstdio>
#include <string>

#include "common/json.hpp"

namespace dformer::programs {

inline void print_table_head() {
  std::printf("%-14s %8s %17s %17s %26s %20s %17s\n", "", "params", "multiply-adds, G", "start, ms",
              "total, ms", "p50, ms", "peak, MB");
  std::printf("%-14s %8s %8s %8s %8s %8s %8s %8s %8s %6s %7s %5s %8s %8s\n", "model", "M", "papers", "full",
              "setup", "cold", "p50", "p90", "p99", "pre", "net", "post", "process", "pool");
}

inline void print_table_row(const Json& result) {
  const Json& count = result.at("multiply_adds");
  const Json& times = result.at("latency_ms");
  const Json& memory = result.at("memory_bytes");
  const auto in = [](const Json& value, double unit) { return value.get<double>() / unit; };
  const auto p50 = [&](const char* phase) { return times.at(phase).at("p50").get<double>(); };
  const Json& total = times.at("total");
  std::printf("%-14s %8.2f %8.2f %8.2f %8.0f %8.1f %8.1f %8.1f %8.1f %6.1f %7.1f %5.1f %8.0f %8.0f\n",
              result.at("model").get<std::string>().c_str(), in(result.at("parameters"), 1e6),
              in(count.at("papers"), 1e9), in(count.at("full"), 1e9), in(times.at("setup"), 1),
              in(times.at("cold"), 1), p50("total"), in(total.at("p90"), 1), in(total.at("p99"), 1),
              p50("pre"), p50("net"), p50("post"), in(memory.at("process_peak"), 1e6),
              in(memory.at("pool_peak"), 1e6));
  std::fflush(stdout);
}

inline void print_table_foot() {
  std::printf(
      "\npapers  linear layers and convolutions, what papers on this subject call FLOPs\n"
      "full    with attention (scores and their products with the values) and the factorization of the head\n"
      "setup   making the network and its random weights; cold: the first image after that\n"
      "pre     normalising the images; net: to class scores; post: scores to labels at the size of the "
      "image\n"
      "pool    tensors of the network, its weights among them; process: all memory of a process for this "
      "network\n");
}

}  // namespace dformer::programs
