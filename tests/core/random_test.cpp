#include <array>
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include <dformer/core/random.hpp>

namespace dformer {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known answers that the authors of Philox publish with their Random123.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStream, IsTheBlocksOfItsSeedInOrder) {
  RandomStream stream(0x299f31d0a4093822u, 0x0370734413198a2eu);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (std::uint32_t word : philox4x32({block, 0, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}))
      EXPECT_EQ(stream.bits(), word);
  }
}

TEST(RandomStream, StaysInItsBoundsAndReachesThem) {
  RandomStream stream(1, 2);
  std::array<int, 5> counts{};
  for (int i = 0; i < 5000; ++i) {
    const float value = stream.uniform(-2.0f, 3.0f);
    EXPECT_GE(value, -2.0f);
    EXPECT_LT(value, 3.0f);
    ++counts[static_cast<std::size_t>(stream.between(3, 7) - 3)];
  }
  for (int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(RandomStream, NormalNumbersHaveMeanZeroAndDeviationOne) {
  RandomStream stream(7, 0);
  double sum = 0;
  double squares = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    const double value = stream.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / count, 0.0, 0.03);
  EXPECT_NEAR(std::sqrt(squares / count), 1.0, 0.03);
}

}  // namespace
}  // namespace dformer
