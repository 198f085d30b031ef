// The own kernels of the CUDA backend at the sizes at which DFormer_Large and DFormerv2_L meet them, each
// beside the least time that its bytes or its multiply-adds take on this GPU by ceilings measured in the same
// process.
//
// A call's time is that of a captured graph of many, each on other operands, 128 MiB of them in turn where
// 192 sets have as much. Small operands of batch 1 are in the cache all the same, as they are in a network.
// With kernels shorter than a few microseconds the time is mostly that of starting them.
//
// What has a value for each channel is not counted as bytes, nor are exponentials as operations. In 16 bits
// the floor of attention, linear layers and depthwise convolutions is that of tensor cores, that of the
// factorization TF32's.
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <size_option.hpp>

#include "cuda_kernels/attention.hpp"
#include "cuda_kernels/channels.hpp"
#include "cuda_kernels/convolutions.hpp"
#include "cuda_kernels/images.hpp"
#include "cuda_kernels/products.hpp"
#include "cuda_kernels/training.hpp"

namespace dformer::benchmarks {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::int64_t> batches{1, 16};
  ImageSize size{480, 640};
  std::string precision = "float16";
  std::string json;
  std::int64_t rotated_mib = 128;
  std::int64_t copied_mib = 1024;
  cuda::CeilingSizes ceilings;
  BenchOptions bench;

  void add_to(CLI::App& app) {
    app.add_option("--batch", batches, "images, or several numbers of them separated by commas")
        ->delimiter(',')
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--only", bench.only, "measure kernels whose name has this in it");
    app.add_option("--json", json, "also write the results here, an object a line");
    app.add_option("--precision", precision, "of activations")
        ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
        ->capture_default_str();
    programs::add_size_option(app, "--size", size, "of images");
    app.add_option("--runs", bench.runs, "of each graph")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--rotate", rotated_mib, "MiB of operands to take in turn: some caches of the GPU")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--ceiling-extent", ceilings.extent, "of the matrices whose product is the ceiling")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--ceiling-copy", copied_mib, "MiB whose copy is the ceiling")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }
};

/// Prints a table and keeps the lines of JSON.
class Report {
 public:
  Report(const Options& options, const cuda::Ceilings& ceilings) : options_(options), ceilings_(ceilings) {
    const cuda::runtime::Properties gpu = cuda::runtime::properties(0);
    lines_.push_back({{"gpu", gpu.name},
                      {"precision", options.precision},
                      {"ceilings",
                       {{"product_flops", ceilings.product_flops},
                        {"tf32_flops", ceilings.tf32_flops},
                        {"float32_flops", ceilings.float32_flops},
                        {"bytes_per_second", ceilings.bytes}}}});
    std::printf("%s, %s: products %.1f TFLOP/s, TF32 %.1f TFLOP/s, float32 %.1f TFLOP/s, copies %.0f GB/s\n",
                gpu.name.c_str(), options.precision.c_str(), ceilings.product_flops / 1e12,
                ceilings.tf32_flops / 1e12, ceilings.float32_flops / 1e12, ceilings.bytes / 1e9);
  }

  void begin(std::int64_t batch) {
    batch_ = batch;
    std::printf("\nbatch %lld\n%-36s %-22s %9s %9s %8s %8s %9s %6s  %s\n", static_cast<long long>(batch),
                "kernel", "shape", "us", "least us", "GB/s", "TFLOP/s", "floor us", "share", "floor by");
  }

  void add(const KernelTime& time) {
    const Floor floor = floor_of(time.work, ceilings_);
    const double seconds = time.microseconds * 1e-6, share = floor.microseconds / time.microseconds;
    const double bytes = time.work.bytes / seconds, flops = 2 * time.work.multiply_adds / seconds;
    std::printf("%-36s %-22s %9.2f %9.2f %8.0f %8.2f %9.2f %5.0f%%  %s\n", time.kernel.c_str(),
                to_string(time.shape).c_str(), time.microseconds, time.least_microseconds, bytes / 1e9,
                flops / 1e12, floor.microseconds, 100 * share, std::string(floor.limit).c_str());
    std::fflush(stdout);
    std::vector<std::int64_t> shape;
    for (int i = 0; i < time.shape.rank(); ++i) shape.push_back(time.shape[i]);
    lines_.push_back({{"kernel", time.kernel},
                      {"batch", batch_},
                      {"shape", shape},
                      {"microseconds", {{"p50", time.microseconds}, {"min", time.least_microseconds}}},
                      {"bytes", time.work.bytes},
                      {"multiply_adds", time.work.multiply_adds},
                      {"bytes_per_second", bytes},
                      {"flops", flops},
                      {"floor_microseconds", floor.microseconds},
                      {"floor_by", floor.limit},
                      {"share_of_ceiling", share},
                      {"operand_sets", time.operands}});
  }

  bool write() const {
    if (options_.json.empty()) return true;
    std::ofstream file(options_.json);
    for (const Json& line : lines_) file << line.dump() << '\n';
    if (file.flush()) return true;
    std::fprintf(stderr, "benchmark_cuda_kernels: cannot write %s\n", options_.json.c_str());
    return false;
  }

 private:
  const Options& options_;
  cuda::Ceilings ceilings_;
  std::int64_t batch_ = 0;
  std::vector<Json> lines_;
};

template <class T>
int run(const Options& options) {
  Report report(options, cuda::measure_ceilings<T>({}, options.ceilings));
  BenchOptions bench_options = options.bench;
  bench_options.report = [&](const KernelTime& time) { report.add(time); };
  const cuda::Device device;
  for (const std::int64_t batch : options.batches) {
    report.begin(batch);
    Bench<T> bench(device, Sizes{{batch, options.size.height, options.size.width}}, bench_options);
    measure_convolutions(bench);
    measure_products(bench);
    measure_channels(bench);
    measure_attention(bench, false);
    measure_rotary(bench);
    measure_images(bench);
    measure_convolution_gradients(bench);
    measure_channel_gradients(bench);
    measure_attention(bench, true);
    measure_image_gradients(bench);
    measure_loss(bench);
    if (batch == options.batches.front()) measure_optimizer(bench);
  }
  return report.write() ? 0 : 1;
}

int run(const Options& options) {
  if (options.precision == "float32") return run<float>(options);
  if (options.precision == "bfloat16") return run<bfloat16>(options);
  return run<half>(options);
}

}  // namespace
}  // namespace dformer::benchmarks

int main(int argc, char** argv) {
  CLI::App app("Measures the kernels of the CUDA backend beside what the GPU can do.",
               "benchmark_cuda_kernels");
  dformer::benchmarks::Options options;
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  options.bench.rotated_bytes = static_cast<std::size_t>(options.rotated_mib) << 20;
  options.ceilings.copied_bytes = static_cast<std::size_t>(options.copied_mib) << 20;
  try {
    return dformer::benchmarks::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "benchmark_cuda_kernels: %s\n", error.what());
    return 1;
  }
}
