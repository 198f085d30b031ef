// Attention and factorization on the CPU, at the shapes that DFormer_Large and DFormerv2_L have for images of
// 480 by 640. GMAC/s counts the multiply-adds of the products. least_us is the time that the arithmetic alone
// would take at this processor's measured rate of multiply-adds, an exponential counted as the thirteen
// vector instructions that it takes; rotary is bound by memory, so it has bytes a second instead.

#include <cstdint>
#include <string>

#include "attention_work.hpp"
#include <dformer/backend/cpu/attention.hpp>
#include <dformer/backend/cpu/geometry_attention.hpp>
#include <dformer/backend/cpu/nmf.hpp>
#include <dformer/backend/cpu/storage.hpp>

namespace {

using dformer::GeometryAttention;
using dformer::GeometryPrior;
using namespace measured;

void pooled_attention(benchmark::State& state, const Device& device, std::int64_t keys, std::int64_t channels,
                      int heads) {
  const Tensor q = filled(device, {1, 49, channels}, -1, 1);
  const Tensor kv = filled(device, {1, keys, 2 * channels}, -1, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(dformer::cpu::AttentionOps<float>::attention(q, kv, heads, 0.2f).data());
  }
  const auto scores = static_cast<double>(49 * keys);
  report(state, device, {2 * scores * static_cast<double>(channels), scores * heads});
}

void rotary(benchmark::State& state, const Device& device, const Shape& shape, int heads) {
  const Tensor x = filled(device, shape, -1, 1);
  const Tensor angle = filled(device, {shape[3] / heads}, 0, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(dformer::cpu::AttentionOps<float>::rotary(x, angle, heads, 0.2f).data());
  }
  report(state, device, {.bytes = 2.0 * sizeof(float) * static_cast<double>(shape.numel())});
}

void geometry(benchmark::State& state, const Device& device, const Shape& shape, int heads,
              GeometryAttention kind) {
  const Tensor q = filled(device, shape, -1, 1);
  const Tensor k = filled(device, shape, -0.2f, 0.2f);
  const Tensor v = filled(device, shape, -1, 1);
  const GeometryPrior<Tensor> prior{filled(device, shape.with_back(1), -1, 1),
                                    filled(device, {2, 1, 1, 1}, 0.5f, 1.5f),
                                    filled(device, {heads}, -0.3f, -0.01f)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        dformer::cpu::GeometryAttentionOps<float>::geometry_attention(q, k, v, prior, heads, kind).data());
  }
  const std::int64_t others = kind == GeometryAttention::full ? shape[1] * shape[2] : shape[1] + shape[2];
  const auto scores = static_cast<double>(shape[1] * shape[2] * others);
  report(state, device, {2 * scores * static_cast<double>(shape[3]), scores * heads});
}

void nmf(benchmark::State& state, const Device& device, std::int64_t rows, std::int64_t channels,
         std::int64_t rank, int steps) {
  const Tensor x = filled(device, {1, rows, channels}, 0, 1);
  const Tensor bases = filled(device, {1, channels, rank}, 0, 0.1f);
  for (auto _ : state) {
    benchmark::DoNotOptimize(dformer::cpu::FactorizationOps<float>::nmf(x, bases, steps, 1).data());
  }
  const double x_bases = static_cast<double>(rows * channels * rank);
  const double rank_square = static_cast<double>(rank * rank);
  const double inner = rank_square * static_cast<double>(rows + channels);
  report(state, device,
         {2 * x_bases * (steps + 1) + inner * (2 * steps + 1), static_cast<double>(rows * rank)});
}

void add_all(int threads) {
  const Device device({.threads = threads});
  const auto pooled = [=](const char* name, std::int64_t keys, std::int64_t channels, int heads) {
    add(name, threads,
        [=](benchmark::State& state) { pooled_attention(state, device, keys, channels, heads); });
  };
  pooled("attention/DFormer_Large stage 1", 4800, 96, 2);
  pooled("attention/DFormer_Large stage 2", 1200, 144, 4);
  pooled("attention/DFormer_Large stage 3", 300, 288, 8);
  const auto stage = [=](const std::string& name, const Shape& shape, int heads, GeometryAttention kind) {
    add("geometry_attention/" + name, threads,
        [=](benchmark::State& state) { geometry(state, device, shape, heads, kind); });
    add("rotary/" + name, threads, [=](benchmark::State& state) { rotary(state, device, shape, heads); });
  };
  stage("DFormerv2_L stage 0", {1, 120, 160, 112}, 7, GeometryAttention::decomposed);
  stage("DFormerv2_L stage 1", {1, 60, 80, 224}, 7, GeometryAttention::decomposed);
  stage("DFormerv2_L stage 2", {1, 30, 40, 448}, 14, GeometryAttention::decomposed);
  stage("DFormerv2_L stage 3", {1, 15, 20, 640}, 20, GeometryAttention::full);
  add("nmf/4800 by 512 rank 64, 7 steps", threads,
      [=](benchmark::State& state) { nmf(state, device, 4800, 512, 64, 7); });
}

}  // namespace

int main(int argc, char** argv) {
  const int processors = dformer::cpu::default_device().threads();
  add_all(1);
  if (processors > 1) add_all(processors);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
