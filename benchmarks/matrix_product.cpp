// Matrix products and down-sampling convolutions on the CPU, at the shapes that DFormer_Large and DFormerv2_L
// have for images of 480 by 640, against Eigen and oneDNN where they are installed. All take turns within one
// benchmark, so that whatever else the machine does strikes them alike. Columns are GFLOP/s from the least
// time of each; `share` is ours of the fastest peer's.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "matrix_product_peers.hpp"
#include <dformer/backend/cpu/conv2d.hpp>
#include <dformer/backend/cpu/linear.hpp>
#include <dformer/backend/cpu/storage.hpp>

namespace {

using dformer::Shape;
using dformer::WeightLayout;
using dformer::Window;
using dformer::cpu::Device;
using Storage = dformer::cpu::StorageOps<float>;
using Tensor = dformer::cpu::Tensor<float>;
using Epilogue = dformer::Epilogue<Tensor>;

std::vector<float> filled(std::int64_t elements) {
  std::vector<float> values(static_cast<std::size_t>(elements));
  std::uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

struct Contender {
  const char* name;
  std::function<void()> run;
  double least = std::numeric_limits<double>::infinity();
};

/// One thread is measured by the processor's time, so that other programs do not count; several by the clock.
double now(int threads) {
  if (threads == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The first contender is ours.
void take_turns(benchmark::State& state, int threads, double operations, std::vector<Contender> contenders) {
  std::erase_if(contenders, [](const Contender& contender) { return !contender.run; });
  for (auto _ : state) {
    for (Contender& contender : contenders) {
      const double start = now(threads);
      contender.run();
      const double seconds = now(threads) - start;
      contender.least = std::min(contender.least, seconds);
      if (&contender == contenders.data()) state.SetIterationTime(seconds);
    }
  }
  double best_peer = std::numeric_limits<double>::infinity();
  for (const Contender& contender : contenders) {
    state.counters[contender.name] = operations / contender.least * 1e-9;
    if (&contender != contenders.data()) best_peer = std::min(best_peer, contender.least);
  }
  if (contenders.size() > 1) state.counters["share"] = best_peer / contenders[0].least;
}

/// What our result and a peer's must agree in; a benchmark of wrong results would be worth nothing.
void require_same(benchmark::State& state, const Tensor& ours, const std::vector<float>& theirs,
                  std::int64_t depth, const char* peer) {
  const float tolerance = 1e-4f * std::sqrt(static_cast<float>(depth));
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (std::abs(ours.data()[i] - theirs[i]) > tolerance) {
      state.SkipWithError((std::string(peer) + " has another result").c_str());
      return;
    }
  }
}

void product(benchmark::State& state, const Shape& size, bool gelu, int threads) {
  const std::int64_t rows = size[0], depth = size[1], channels = size[2];
  const std::vector<float> x = filled(rows * depth), weight = filled(channels * depth),
                           bias = filled(channels);
  std::vector<float> y(static_cast<std::size_t>(rows * channels));
  const Device device({.threads = threads});
  const std::array inputs{Storage::from_host(device, {rows, depth}, x)};
  const Tensor packed = Storage::weight_from_host(device, WeightLayout::dense, {channels, depth}, weight);
  const Epilogue epilogue{.shift = Storage::from_host(device, {channels}, bias),
                          .activation = gelu ? dformer::Activation::gelu : dformer::Activation::none};
  Tensor ours;
  const auto run = [&] {
    ours = {};  // so that the next result takes its place
    ours = dformer::cpu::LinearOps<float>::linear(inputs, packed, epilogue);
  };
  const peers::Product same{rows, depth, channels, gelu, x.data(), weight.data(), bias.data(), y.data()};
  const std::vector<Contender> contenders{{"dformer", run},
                                          {"eigen", gelu ? nullptr : peers::eigen(same, threads)},
                                          {"onednn", peers::onednn(same, threads)}};
  run();
  for (const Contender& peer : contenders) {
    if (!peer.run || &peer == contenders.data()) continue;
    peer.run();
    require_same(state, ours, y, depth, peer.name);
  }
  take_turns(state, threads, 2.0 * static_cast<double>(rows * depth * channels), contenders);
}

void down_sampling(benchmark::State& state, const Shape& size, int threads) {
  const std::int64_t height = size[0], width = size[1], inputs = size[2], channels = size[3];
  const std::vector<float> x = filled(height * width * inputs), weight = filled(channels * inputs * 9),
                           bias = filled(channels);
  std::vector<float> y(static_cast<std::size_t>(height * width * channels / 4));
  const Device device({.threads = threads});
  const Tensor image = Storage::from_host(device, {1, height, width, inputs}, x);
  const Tensor packed =
      Storage::weight_from_host(device, WeightLayout::dense, {channels, inputs, 3, 3}, weight);
  const Epilogue epilogue{.shift = Storage::from_host(device, {channels}, bias)};
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  Tensor ours;
  const auto run = [&] {
    ours = dformer::cpu::ConvolutionOps<float>::conv2d(image, packed, window, epilogue);
  };
  const peers::Convolution same{height,   width,         inputs,      channels,
                                x.data(), weight.data(), bias.data(), y.data()};
  const std::vector<Contender> contenders{{"dformer", run}, {"onednn", peers::onednn(same, threads)}};
  run();
  if (contenders[1].run) {
    contenders[1].run();
    require_same(state, ours, y, 9 * inputs, "onednn");
  }
  take_turns(state, threads, 2.0 * 9 * static_cast<double>(height * width / 4 * inputs * channels),
             contenders);
}

template <class Body>
void add(const std::string& name, int threads, const Body& body) {
  benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(), body)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

void add_all(int threads) {
  const auto linear = [=](const std::string& name, const Shape& size, bool gelu = false) {
    add("linear/" + name + "/" + std::to_string(size[0]) + "x" + std::to_string(size[1]) + "->" +
            std::to_string(size[2]),
        threads, [=](benchmark::State& state) { product(state, size, gelu, threads); });
  };
  const auto stage = [=](const std::string& name, std::int64_t tokens, std::int64_t channels,
                         std::int64_t ratio) {
    linear(name, {tokens, channels, channels});
    linear(name + " mlp in", {tokens, channels, ratio * channels});
    linear(name + " mlp in, gelu", {tokens, channels, ratio * channels}, true);
    linear(name + " mlp out", {tokens, ratio * channels, channels});
  };
  stage("DFormer_Large stage 0", 19200, 96, 8);
  stage("DFormer_Large stage 1", 4800, 192, 8);
  stage("DFormer_Large stage 2", 1200, 288, 4);
  stage("DFormer_Large stage 3", 300, 576, 4);
  stage("DFormerv2_L stage 0", 19200, 112, 4);
  stage("DFormerv2_L stage 1", 4800, 224, 4);
  stage("DFormerv2_L stage 2", 1200, 448, 3);
  stage("DFormerv2_L stage 3", 300, 640, 3);
  linear("head squeeze", {4800, 1056, 512});
  linear("head", {4800, 512, 512});
  linear("head classes", {4800, 512, 40});
  const auto conv2d = [=](const std::string& name, const Shape& size) {
    add("conv2d 3x3 stride 2/" + name, threads,
        [=](benchmark::State& state) { down_sampling(state, size, threads); });
  };
  conv2d("120x160x96->192", {120, 160, 96, 192});
  conv2d("60x80x192->288", {60, 80, 192, 288});
  conv2d("30x40x288->576", {30, 40, 288, 576});
}

}  // namespace

int main(int argc, char** argv) {
  const int processors = dformer::cpu::default_device().threads();
  add_all(1);
  if (processors > 1) add_all(processors);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
