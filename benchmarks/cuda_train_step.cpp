// Times training steps (forward, backward, AdamW) on a GPU, on random images of 480x640, as
// peers/train_step.py does in PyTorch, and prints the same line of JSON. usage: benchmark_cuda_train_step
// [MODEL [PRECISION [BATCH [STEPS [blocks|tf32]...]]]]; MODEL is DFormer_Small, DFormer_Large or DFormerv2_L;
// PRECISION bfloat16, float16 (its loss is scaled) or float32; `tf32` lets float32 products round their
// factors; with `blocks` only the inputs of blocks are kept for backward.
#include "cuda_train_step.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <dformer/models/variants.hpp>

namespace {

using namespace dformer;
using benchmarks::time_train_steps;

template <class Scalar>
benchmarks::TrainStepTimes measure(std::string_view model, const benchmarks::TrainStepOptions& options) {
  using B = Autodiff<Cuda<Scalar>>;
  if (model == "DFormer_Small") return time_train_steps<DFormer_Small<B>>(options);
  if (model == "DFormer_Large") return time_train_steps<DFormer_Large<B>>(options);
  if (model == "DFormerv2_L") return time_train_steps<DFormerv2_L<B>>(options);
  throw_argument_error("[model] DFormer_Small, DFormer_Large or DFormerv2_L expected, got " +
                       std::string(model));
}

benchmarks::TrainStepTimes measure(std::string_view model, std::string_view precision,
                                   const benchmarks::TrainStepOptions& options) {
  if (precision == "bfloat16") return measure<bfloat16>(model, options);
  if (precision == "float16") return measure<half>(model, options);
  if (precision == "float32") return measure<float>(model, options);
  throw_argument_error("[precision] bfloat16, float16 or float32 expected, got " + std::string(precision));
}

int run(int argc, char** argv) {
  const auto word = [&](int i, const char* otherwise) { return argc > i ? argv[i] : otherwise; };
  const std::string model = word(1, "DFormer_Small"), precision = word(2, "bfloat16");
  benchmarks::TrainStepOptions options{.batch = std::atoi(word(3, "8")), .steps = std::atoi(word(4, "10"))};
  for (int i = 5; i < argc; ++i) {
    options.checkpoint_blocks = options.checkpoint_blocks || std::string_view(argv[i]) == "blocks";
    options.tf32 = options.tf32 || std::string_view(argv[i]) == "tf32";
  }
  if (options.batch < 1 || options.steps < 1) throw_argument_error("a batch and steps of 1 or more expected");
  const auto times = measure(model, precision, options);
  std::printf(
      "{\"model\": \"%s\", \"precision\": \"%s\", \"tf32\": %s, \"batch\": %d, \"median_ms\": %.2f, "
      "\"least_ms\": %.2f, \"images_per_s\": %.1f, \"peak_mib\": %zu, \"loss\": %.4f}\n",
      model.c_str(), precision.c_str(), options.tf32 ? "true" : "false", options.batch, times.median_ms,
      times.least_ms, 1000 * options.batch / times.median_ms, times.peak_bytes >> 20, times.loss);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
