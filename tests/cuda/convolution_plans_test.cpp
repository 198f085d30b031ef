#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <dformer/backend/cuda/nvidia/convolution_plan.inl>

/// cuDNN is asked for plans for GPUs that are only described, so that no GPU is needed to see that every
/// convolution is one that it takes. The plans are not run.
namespace dformer::cuda::library {
namespace {

struct Gpu {
  std::string name;
  int capability;
  int multiprocessors;
  int shared_bytes;  ///< that a block may ask for
  int threads;       ///< of a multiprocessor
};

void PrintTo(const Gpu& gpu, std::ostream* out) {
  *out << gpu.name;
}

Descriptor described(const Gpu& gpu) {
  const bool ampere = gpu.capability >= 800;
  const nlohmann::json properties{{"deviceName", gpu.name},
                                  {"deviceVer", gpu.capability},
                                  {"driverVer", 13000},
                                  {"maxGridSize", {2147483647, 65535, 65535}},
                                  {"maxBlockSize", {1024, 1024, 64}},
                                  {"regsPerBlock", 65536},
                                  {"multiProcessorCount", gpu.multiprocessors},
                                  {"warpSize", 32},
                                  {"maxSharedMemoryPerBlock", 49152},
                                  {"maxSharedMemoryPerBlockOptin", gpu.shared_bytes},
                                  {"reservedSharedMemoryPerBlock", ampere ? 1024 : 0},
                                  {"maxRegistersPerSM", 65536},
                                  {"maxCtasPerSM", ampere ? 32 : 16},
                                  {"maxThreadsPerBlock", 1024},
                                  {"maxThreadsPerSM", gpu.threads},
                                  {"pciDeviceId", 0},
                                  {"isTccDriver", 0},
                                  {"supportCoopLaunch", 1},
                                  {"smClockRateKHz", 1500000},
                                  {"memClockRateKHz", 2000000},
                                  {"l2CacheSize", 50 << 20},
                                  {"cudaDeviceId", 0},
                                  {"totalGlobalMem", 16000000000}};
  const std::string text = properties.dump();
  Descriptor descriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  require("cudnnBackendSetAttribute",
          cudnnBackendSetAttribute(descriptor.get(), CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                   CUDNN_TYPE_CHAR, static_cast<std::int64_t>(text.size()), text.data()));
  descriptor.finalize("a GPU");
  return descriptor;
}

Convolution convolution(DType type, std::int64_t images, std::int64_t height, std::int64_t width,
                        std::int64_t inputs, std::int64_t outputs, const Window& window) {
  return {type,    images, height, width, inputs, window.output_extent(height), window.output_extent(width),
          outputs, window};
}

/// The stem and the down-sampling of the networks at 480x640, a batch of a head, and what they have not: odd
/// extents, few channels, a dilated window, pixels left out.
std::vector<Convolution> convolutions(DType type) {
  const Window half_size{.kernel = 3, .stride = 2, .padding = 1};
  return {convolution(type, 1, 480, 640, 3, 32, half_size),
          convolution(type, 1, 480, 640, 1, 16, half_size),
          convolution(type, 1, 120, 160, 96, 192, half_size),
          convolution(type, 8, 60, 80, 256, 256, {.kernel = 3, .padding = 1}),
          convolution(type, 2, 9, 13, 5, 19, {.kernel = 3, .padding = 2, .dilation = 2}),
          convolution(type, 1, 61, 80, 40, 80, {.kernel = 1, .stride = 2})};
}

class ConvolutionPlans : public ::testing::TestWithParam<Gpu> {};

TEST_P(ConvolutionPlans, AreFoundForEveryConvolution) {
  const Descriptor gpu = described(GetParam());
  for (const DType type : {DType::float32, DType::float16, DType::bfloat16}) {
    const bool possible = type != DType::bfloat16 || GetParam().capability >= 800;
    for (const Convolution& shape : convolutions(type)) {
      for (const auto result : {ConvolutionResult::y, ConvolutionResult::dx, ConvolutionResult::dw}) {
        const ConvolutionKey key{shape, result};
        const auto plan =
            ConvolutionPlan::find(PlanTarget(gpu), key, {.deterministic = true, .allow_tf32 = false});
        ASSERT_EQ(plan.has_value(), possible) << key.text();
        if (!plan) continue;
        EXPECT_LE(plan->workspace_bytes(), library::ConvolutionPlan::most_workspace) << key.text();
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Gpus, ConvolutionPlans,
    ::testing::Values(Gpu{"Tesla T4", 750, 40, 65536, 1024}, Gpu{"NVIDIA A100", 800, 108, 166912, 2048},
                      Gpu{"NVIDIA L4", 890, 58, 101376, 1536}, Gpu{"NVIDIA H100", 900, 132, 232448, 2048}),
    [](const auto& test) { return test.param.name.substr(test.param.name.find(' ') + 1); });

TEST(ConvolutionRules, KeepFloat32AndTheSameBits) {
  const ConvolutionRules strict{.deterministic = true, .allow_tf32 = false};
  const ConvolutionRules loose{.deterministic = false, .allow_tf32 = true};
  EXPECT_TRUE(strict.allow({}, DType::float32));
  EXPECT_FALSE(strict.allow({CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, DType::float32));
  EXPECT_FALSE(strict.allow({CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, DType::float32));
  EXPECT_FALSE(strict.allow({CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, DType::float32));
  EXPECT_TRUE(strict.allow({CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, DType::float16));
  EXPECT_TRUE(
      loose.allow({CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, DType::float32));
  EXPECT_FALSE(loose.allow({CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, DType::float16));
}

}  // namespace
}  // namespace dformer::cuda::library
