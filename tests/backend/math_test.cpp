#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/kernels/kernels.hpp>

using MathKernel = void (*)(const float* x, float* y, std::int64_t count);

struct MathKernels {
  MathKernel exp, erf, sqrt, gelu, sigmoid, sin, cos;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace dformer::cpu::baseline {
#include <backend/math_kernels.inl>
}
#if defined(__x86_64__)
DFORMER_TARGET_AVX2_BEGIN
namespace dformer::cpu::avx2 {
#include <backend/math_kernels.inl>
}
DFORMER_TARGET_END
DFORMER_TARGET_AVX512_BEGIN
namespace dformer::cpu::avx512 {
#include <backend/math_kernels.inl>
}
DFORMER_TARGET_END
#endif

namespace dformer::testing {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

using Real = long double;
using Function = Real (*)(Real);

std::vector<MathKernels> every_isa() {
  std::vector<MathKernels> result{cpu::baseline::math_kernels};
#if defined(__x86_64__)
  if (cpu::best_isa() >= cpu::Isa::avx2) result.push_back(cpu::avx2::math_kernels);
  if (cpu::best_isa() >= cpu::Isa::avx512) result.push_back(cpu::avx512::math_kernels);
#endif
  return result;
}

std::vector<float> apply(MathKernel kernel, std::vector<float> x) {
  const std::size_t count = x.size();
  x.resize((count + 15) / 16 * 16);
  std::vector<float> y(x.size());
  kernel(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  y.resize(count);
  return y;
}

/// Evenly over [low, high], then both signs of every size from 1e-7 up, as far as it is in [low, high].
std::vector<float> sweep(float low, float high) {
  constexpr int steps = 1 << 16;
  std::vector<float> x;
  for (int i = 0; i <= steps; ++i) x.push_back(low + (high - low) * (static_cast<float>(i) / steps));
  for (float size = 1e-7f; size < std::max(high, -low); size *= 1.0003f) {
    if (size <= high) x.push_back(size);
    if (-size >= low) x.push_back(-size);
  }
  return x;
}

/// Distance between the floats next to `value`.
Real ulp(Real value) {
  const float size = std::abs(static_cast<float>(value));
  return std::ldexp(1.0L, std::ilogb(std::max(size, std::numeric_limits<float>::min())) - 23);
}

void expect_within_ulps(MathKernel kernel, Function exact, float low, float high, Real bound) {
  const std::vector<float> x = sweep(low, high);
  const std::vector<float> y = apply(kernel, x);
  Real worst = 0;
  float where = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real expected = exact(static_cast<Real>(x[i]));
    const Real error = std::abs(static_cast<Real>(y[i]) - expected) / ulp(expected);
    if (!(error <= worst)) {
      worst = error;
      where = x[i];
    }
  }
  EXPECT_LE(worst, bound) << "ulps at " << where;
}

/// |error| <= bound * max(1, |x|) if `relative`, else <= bound.
void expect_within(MathKernel kernel, Function exact, float low, float high, Real bound, bool relative) {
  const std::vector<float> x = sweep(low, high);
  const std::vector<float> y = apply(kernel, x);
  Real worst = 0;
  float where = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real size = relative ? std::max(1.0L, std::abs(static_cast<Real>(x[i]))) : 1.0L;
    const Real error = std::abs(static_cast<Real>(y[i]) - exact(static_cast<Real>(x[i]))) / size;
    if (!(error <= worst)) {
      worst = error;
      where = x[i];
    }
  }
  EXPECT_LE(worst, bound) << "at " << where;
}

TEST(Math, Exp) {
  for (const MathKernels& isa : every_isa()) {
    expect_within_ulps(
        isa.exp, [](Real x) { return std::exp(x); }, -86.98f, 88.7f, 1.2L);
    const std::vector<float> y = apply(
        isa.exp, {0.0f, -0.0f, infinity, -infinity, 1e30f, -1e30f, 88.73f, 89.5f, -88.0f, -104.0f, nan});
    EXPECT_EQ(std::vector<float>(y.begin(), y.end() - 1),
              (std::vector<float>{1, 1, infinity, 0, infinity, 0, infinity, infinity, 0, 0}));
    EXPECT_TRUE(std::isnan(y.back()));
  }
}

TEST(Math, Erf) {
  for (const MathKernels& isa : every_isa()) {
    expect_within_ulps(
        isa.erf, [](Real x) { return std::erf(x); }, -7.0f, 7.0f, 4.5L);
    const std::vector<float> y = apply(isa.erf, {0.0f, infinity, -infinity, 1e30f, -1e30f, 4.0f, -4.0f, nan});
    EXPECT_EQ(std::vector<float>(y.begin(), y.end() - 1), (std::vector<float>{0, 1, -1, 1, -1, 1, -1}));
    EXPECT_TRUE(std::isnan(y.back()));
  }
}

TEST(Math, Sqrt) {
  std::vector<float> x;
  for (float size = 1.2e-38f; size < 3e38f; size *= 1.00013f) x.push_back(size);
  for (int i = 1; i <= 1 << 16; ++i) x.push_back(static_cast<float>(i) / 32768.0f);
  for (const MathKernels& isa : every_isa()) {
    const std::vector<float> roots = apply(isa.sqrt, x);
    Real worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real expected = std::sqrt(static_cast<Real>(x[i]));
      worst = std::max(worst, std::abs(static_cast<Real>(roots[i]) - expected) / ulp(expected));
    }
    EXPECT_LE(worst, 0.9L);
    const std::vector<float> y = apply(isa.sqrt, {0.0f, 4.0f, infinity, 1e-40f, nan});
    EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 3), (std::vector<float>{0, 2, infinity}));
    EXPECT_GE(y[3], 0.0f);
    EXPECT_LE(y[3], 1.0001e-20f);
    EXPECT_TRUE(std::isnan(y[4]));
  }
}

TEST(Math, Gelu) {
  const Function exact = [](Real x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0L))); };
  for (const MathKernels& isa : every_isa()) {
    expect_within(isa.gelu, exact, -10.0f, 10.0f, 2e-7L, true);
    const std::vector<float> y =
        apply(isa.gelu, {0.0f, infinity, -infinity, 1e30f, -1e30f, 6.0f, -6.0f, nan});
    EXPECT_EQ(std::vector<float>(y.begin(), y.end() - 1),
              (std::vector<float>{0, infinity, 0, 1e30f, 0, 6, 0}));
    EXPECT_TRUE(std::isnan(y.back()));
  }
}

TEST(Math, Sigmoid) {
  const Function exact = [](Real x) { return 1 / (1 + std::exp(-x)); };
  for (const MathKernels& isa : every_isa()) {
    expect_within_ulps(isa.sigmoid, exact, -87.0f, 87.0f, 2.5L);
    const std::vector<float> y = apply(isa.sigmoid, {0.0f, infinity, -infinity, 1e30f, -1e30f, nan});
    EXPECT_EQ(std::vector<float>(y.begin(), y.end() - 1), (std::vector<float>{0.5f, 1, 0, 1, 0}));
    EXPECT_TRUE(std::isnan(y.back()));
  }
}

TEST(Math, SinAndCos) {
  for (const MathKernels& isa : every_isa()) {
    for (const float range : {1.0f, 100.0f, 1e5f, 172800.0f, 4e6f, 1e9f}) {
      expect_within(
          isa.sin, [](Real x) { return std::sin(x); }, -range, range, 1.1e-7L, false);
      expect_within(
          isa.cos, [](Real x) { return std::cos(x); }, -range, range, 1.1e-7L, false);
    }
    EXPECT_EQ(apply(isa.sin, {0.0f}), std::vector<float>{0.0f});
    EXPECT_EQ(apply(isa.cos, {0.0f}), std::vector<float>{1.0f});
    for (const float value : {infinity, -infinity, nan}) {
      EXPECT_TRUE(std::isnan(apply(isa.sin, {value})[0]));
      EXPECT_TRUE(std::isnan(apply(isa.cos, {value})[0]));
    }
  }
}

// The argument's reduction changes at 1e5, and whole numbers are what the rotary embedding asks for.
TEST(Math, SinAndCosOfWholeNumbersBeyondTheFastReduction) {
  std::vector<float> x;
  for (int i = 90'000; i < 300'000; ++i) x.push_back(static_cast<float>(i));
  for (int i = 300'000; i < 16'000'000; i += 997) x.push_back(static_cast<float>(i));
  for (const MathKernels& isa : every_isa()) {
    const std::vector<float> sine = apply(isa.sin, x);
    const std::vector<float> cosine = apply(isa.cos, x);
    Real worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real exact = static_cast<Real>(x[i]);
      worst = std::max({worst, std::abs(static_cast<Real>(sine[i]) - std::sin(exact)),
                        std::abs(static_cast<Real>(cosine[i]) - std::cos(exact))});
    }
    EXPECT_LE(worst, 1.1e-7L);
  }
}

// Every element takes its own way, whatever its neighbours in the register are.
TEST(Math, SinAndCosOfOneLargeElementAmongSmall) {
  const std::vector<float> small(16, 0.75f);
  for (const MathKernels& isa : every_isa()) {
    for (std::size_t lane = 0; lane < small.size(); ++lane) {
      for (const float large : {172799.0f, -3999999.0f}) {
        std::vector<float> x = small;
        x[lane] = large;
        x[(lane + 1) % x.size()] = nan;
        std::vector<float> expected = apply(isa.sin, small);
        const std::vector<float> y = apply(isa.sin, x);
        expected[lane] = static_cast<float>(std::sin(static_cast<double>(large)));
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (i == (lane + 1) % x.size()) {
            EXPECT_TRUE(std::isnan(y[i])) << i;
          } else {
            EXPECT_EQ(y[i], expected[i]) << i << " with " << large << " at " << lane;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace dformer::testing
