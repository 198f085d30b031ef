// The gradients of attention and factorization on the CPU, at the shapes that DFormer_Small, DFormerv2_S and
// DFormerv2_L have for two images of 480 by 640. Counters as in attention.cpp; the arithmetic is that of the
// products which a gradient cannot do without, what must be computed again included.

#include <cstdint>
#include <string>

#include "attention_work.hpp"
#include <dformer/backend/cpu/gradients/attention.hpp>
#include <dformer/backend/cpu/gradients/geometry_attention.hpp>
#include <dformer/backend/cpu/gradients/nmf.hpp>

namespace {

using namespace measured;
using dformer::GeometryAttention;
using dformer::GeometryPrior;

constexpr std::int64_t images = 2;

void pooled_attention(benchmark::State& state, const Device& device, std::int64_t keys, std::int64_t channels,
                      int heads) {
  const Tensor q = filled(device, {images, 49, channels}, -1, 1);
  const Tensor kv = filled(device, {images, keys, 2 * channels}, -1, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        dformer::cpu::AttentionGradientOps<float>::attention(q, kv, heads, 0.2f, q).q.data());
  }
  const auto scores = static_cast<double>(images * 49 * keys);
  report(state, device, {5 * scores * static_cast<double>(channels), scores * heads});
}

void rotary(benchmark::State& state, const Device& device, const Shape& shape, int heads) {
  const Tensor dy = filled(device, shape, -1, 1);
  const Tensor angle = filled(device, {shape[3] / heads}, 0, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        dformer::cpu::AttentionGradientOps<float>::rotary(dy, angle, heads, 0.2f).data());
  }
  report(state, device, {.bytes = 2.0 * sizeof(float) * static_cast<double>(shape.numel())});
}

/// Five products; of the rows' attention also the two of the result, which are made again.
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
        dformer::cpu::GeometryGradientOps<float>::geometry_attention(q, k, v, prior, heads, kind, q)
            .q.data());
  }
  const bool full = kind == GeometryAttention::full;
  const auto tokens = static_cast<double>(shape[0] * shape[1] * shape[2]);
  const double among_rows = tokens * static_cast<double>(shape[2]);
  const double all = tokens * static_cast<double>(full ? shape[1] * shape[2] : shape[1] + shape[2]);
  const double again = full ? 0 : among_rows;
  report(state, device, {(5 * all + 2 * again) * static_cast<double>(shape[3]), (all + again) * heads});
}

/// Of the products of all of x by a matrix of the bases' size, a step has two forward, two back and two of
/// the input's gradient; the last update has one, three and one.
void nmf(benchmark::State& state, const Device& device, std::int64_t rows, std::int64_t channels,
         std::int64_t rank, int steps) {
  const Tensor x = filled(device, {images, rows, channels}, 0, 1);
  const Tensor dy = filled(device, {images, rows, channels}, -1, 1);
  const Tensor bases = filled(device, {1, channels, rank}, 0, 0.1f);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        dformer::cpu::FactorizationGradientOps<float>::nmf(x, bases, steps, 1, dy).data());
  }
  const double x_bases = static_cast<double>(rows * channels * rank);
  const double inner = static_cast<double>(rank * rank * (rows + channels));
  report(state, device, {images * (x_bases * (6 * steps + 5) + inner * (6 * steps + 3)), 0});
}

void add_all(int threads) {
  const Device device({.threads = threads});
  const auto pooled = [=](const char* name, std::int64_t keys, std::int64_t channels, int heads) {
    add(name, threads,
        [=](benchmark::State& state) { pooled_attention(state, device, keys, channels, heads); });
  };
  pooled("attention/DFormer_Small stage 1", 4800, 64, 2);
  pooled("attention/DFormer_Small stage 2", 1200, 128, 4);
  pooled("attention/DFormer_Small stage 3", 300, 256, 8);
  pooled("attention/DFormer_Large stage 1", 4800, 96, 2);
  const auto stage = [=](const std::string& name, const Shape& shape, int heads, GeometryAttention kind) {
    add("geometry_attention/" + name, threads,
        [=](benchmark::State& state) { geometry(state, device, shape, heads, kind); });
    add("rotary/" + name, threads, [=](benchmark::State& state) { rotary(state, device, shape, heads); });
  };
  stage("DFormerv2_S stage 0", {images, 120, 160, 64}, 4, GeometryAttention::decomposed);
  stage("DFormerv2_S stage 1", {images, 60, 80, 128}, 4, GeometryAttention::decomposed);
  stage("DFormerv2_S stage 2", {images, 30, 40, 256}, 8, GeometryAttention::decomposed);
  stage("DFormerv2_S stage 3", {images, 15, 20, 512}, 16, GeometryAttention::full);
  add("nmf/4800 by 512 rank 64, 6 steps", threads,
      [=](benchmark::State& state) { nmf(state, device, 4800, 512, 64, 6); });
}

}  // namespace

int main(int argc, char** argv) {
  const int processors = dformer::cpu::default_device().threads();
  add_all(1);
  if (processors > 1) add_all(processors);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
