#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include <dformer/core/dtype.hpp>

namespace dformer {
namespace {

TEST(Half, NormalNumbers) {
  EXPECT_EQ(half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(half_to_float(0xc000), -2.0f);
  EXPECT_EQ(half_to_float(0x3555), 0.333251953125f);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0f);
}

TEST(Half, Subnormals) {
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0x03ff), 1023 * 0x1p-24f);
  EXPECT_EQ(half_to_float(0x0400), 0x1p-14f);
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
}

TEST(Half, InfinityAndNan) {
  EXPECT_EQ(half_to_float(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(half_to_float(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half_to_float(0x7e00)));
}

/// Checks a rounding between every two neighbours of a 16-bit format, of which `first` to `last` - 1 are
/// finite and rise.
template <class Widen, class Narrow>
void expect_nearest_even(unsigned first, unsigned last, Widen widen, Narrow narrow) {
  for (unsigned bits = first; bits < last; ++bits) {
    const float low = widen(static_cast<std::uint16_t>(bits));
    const float high = widen(static_cast<std::uint16_t>(bits + 1));
    ASSERT_EQ(narrow(low), bits);
    ASSERT_EQ(narrow(-low), bits | 0x8000u);
    if (std::isinf(high)) break;
    const float middle = static_cast<float>((static_cast<double>(low) + static_cast<double>(high)) / 2);
    ASSERT_EQ(narrow(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(narrow(std::nextafter(middle, low)), bits);
    ASSERT_EQ(narrow(std::nextafter(middle, high)), bits + 1);
  }
}

TEST(Half, EveryFloatRoundsToTheNearest) {
  expect_nearest_even(0, 0x7c00, half_to_float, float_to_half);
  EXPECT_EQ(float_to_half(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_half(1e-30f), 0);
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Bfloat16, EveryFloatRoundsToTheNearest) {
  expect_nearest_even(0x0080, 0x7f80, bfloat16_to_float, float_to_bfloat16);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Bfloat16, IsTheUpperHalfOfAFloat) {
  EXPECT_EQ(bfloat16_to_float(0x3f80), 1.0f);
  EXPECT_EQ(bfloat16_to_float(0xc049), -3.140625f);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(0x7fc0)));
}

TEST(DType, Sizes) {
  EXPECT_EQ(size_of(DType::float64), 8u);
  EXPECT_EQ(size_of(DType::bfloat16), 2u);
  EXPECT_EQ(size_of(DType::boolean), 1u);
  EXPECT_EQ(to_string(DType::boolean), "bool");
}

}  // namespace
}  // namespace dformer
