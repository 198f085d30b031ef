#include <array>

#include <backend/naive_linear.hpp>

#include <dformer/backend/cpu/conv2d.hpp>
#include <dformer/backend/cpu/linear.hpp>
#include <dformer/backend/cpu/storage.hpp>

/// What only the CPU promises: double, results that do not depend on threads, no allocation after the first
/// call.
namespace dformer::testing {
namespace {

template <class T>
struct Products : cpu::StorageOps<T>, cpu::LinearOps<T>, cpu::ConvolutionOps<T> {
  using Tensor = cpu::Tensor<T>;
  using Device = cpu::Device;
};

std::vector<cpu::Isa> instruction_sets() {
  std::vector<cpu::Isa> result;
  for (cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa <= cpu::best_isa()) result.push_back(isa);
  }
  return result;
}

template <class T>
Array linear(const cpu::Device& device, const Array& x, const Array& weight,
             const NaiveEpilogue& epilogue = {}) {
  using B = Products<T>;
  const std::array inputs{B::from_host(device, x.shape, x.values)};
  const auto y =
      B::linear(inputs, B::weight_from_host(device, WeightLayout::dense, weight.shape, weight.values),
                epilogue.on<B>(device));
  Array result{y.shape(), std::vector<float>(static_cast<std::size_t>(y.shape().numel()))};
  B::to_host(y, result.values);
  return result;
}

TEST(CpuMatrixProduct, DoubleIsExactToTheLastBitOfFloat) {
  for (const cpu::Isa isa : instruction_sets()) {
    const cpu::Device device({.threads = 2, .isa = isa});
    for (const std::int64_t rows : {1, 5, 29, 40}) {
      for (std::int64_t channels = 1; channels <= 50; channels += 7) {
        const Array x = random_array({rows, 33}, 1);
        const Array weight = random_array({channels, 33}, 2);
        const NaiveEpilogue epilogue =
            NaiveEpilogue::full({rows, channels}, Activation::gelu, Activation::sigmoid);
        const Array expected = naive_linear(x, weight, epilogue);
        expect_close(linear<double>(device, x, weight, epilogue), expected, 1e-7 * expected.max_abs(),
                     std::string(to_string(isa)) + " " + to_string(expected.shape));
      }
    }
  }
}

TEST(CpuMatrixProduct, ThreadsDoNotChangeABit) {
  for (const cpu::Isa isa : instruction_sets()) {
    for (const Shape& size : {Shape{1300, 96, 40}, {60, 512, 300}, {3, 2304, 576}}) {
      const Array x = random_array({size[0], size[1]}, 1);
      const Array weight = random_array({size[2], size[1]}, 2);
      const NaiveEpilogue epilogue =
          NaiveEpilogue::full({size[0], size[2]}, Activation::gelu, Activation::relu);
      const Array alone = linear<float>(cpu::Device({.threads = 1, .isa = isa}), x, weight, epilogue);
      for (const int threads : {2, 3, 8}) {
        const Array y = linear<float>(cpu::Device({.threads = threads, .isa = isa}), x, weight, epilogue);
        EXPECT_EQ(y.values, alone.values)
            << threads << " threads, " << to_string(isa) << ", " << to_string(size);
      }
    }
  }
}

TEST(CpuMatrixProduct, TakesNothingFromTheSystemAfterTheFirstCall) {
  using B = Products<float>;
  const cpu::Device device({.threads = 2});
  const Array image = random_array({1, 40, 30, 64}, 1);
  const Array filter = random_array({32, 64, 3, 3}, 2);
  const auto x = B::from_host(device, image.shape, image.values);
  const auto weight = B::weight_from_host(device, WeightLayout::dense, filter.shape, filter.values);
  const auto call = [&] {
    B::conv2d(x, weight, {.kernel = 3, .stride = 1, .padding = 1, .dilation = 1}, {});
  };
  call();
  const std::size_t reserved = device.memory().use().reserved;
  for (int i = 0; i < 50; ++i) call();
  EXPECT_EQ(device.memory().use().reserved, reserved);
}

TEST(CpuMatrixProduct, PanelsFitTheCacheAndEveryThreadHasWork) {
  constexpr std::int64_t panels = 35;
  constexpr std::int64_t pairs = 18;
  for (const int threads : {1, 2, 16}) {
    for (const std::int64_t rows : {1, 49, 300, 19200}) {
      for (const std::int64_t row_bytes : {32, 384, 18432}) {
        const cpu::ProductCut cut = cpu::cut_product(rows, row_bytes, panels, threads);
        EXPECT_GE(cut.blocks, 1);
        EXPECT_LE(cut.blocks, rows);
        EXPECT_GE(cut.groups, 1);
        EXPECT_LE(cut.groups, pairs);
        EXPECT_GE(cut.tasks(), threads);
        const std::int64_t group_pairs = (pairs + cut.groups - 1) / cut.groups;
        EXPECT_TRUE(group_pairs == 1 || group_pairs * 2 * cpu::panel_width * row_bytes <= 768 << 10);
      }
    }
  }
}

}  // namespace
}  // namespace dformer::testing
