#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/io/record_source.hpp>

namespace dformer {
namespace {

template <class T>
TensorRecord view(DType dtype, const std::vector<T>& values, const Shape& shape) {
  TensorRecord record;
  record.name = "w";
  record.dtype = dtype;
  record.shape = shape;
  record.strides = contiguous_strides(shape);
  record.storage = std::as_bytes(std::span(values));
  return record;
}

/// What the source gives, and in the largest of how many bytes at a time.
template <class T>
std::vector<T> given(const TensorSource& source, std::size_t* largest = nullptr) {
  std::vector<std::byte> bytes;
  source.content([&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    if (largest != nullptr) *largest = std::max(*largest, piece.size());
  });
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

TEST(RecordSource, KeepsEveryBit) {
  const std::vector<std::uint32_t> odd{0x7f800001u, 0xffc12345u, 0x80000000u, 0x00000001u, 0x7f800000u};
  const TensorSource floats = record_source(view(DType::float32, odd, {5}));
  EXPECT_EQ(floats.dtype, DType::float32);
  EXPECT_EQ(floats.shape, (Shape{5}));
  EXPECT_EQ(given<std::uint32_t>(floats), odd) << "NaNs with a payload among them";
  EXPECT_EQ(given<std::uint32_t>(record_source(view(DType::float32, odd, {5}), DType::float32)), odd);
  const std::vector<std::uint16_t> halves{0x7c01, 0xfe00, 0x0001};
  EXPECT_EQ(given<std::uint16_t>(record_source(view(DType::float16, halves, {3}))), halves);
  const std::vector<std::uint8_t> flags{0, 1, 2};
  EXPECT_EQ(given<std::uint8_t>(record_source(view(DType::boolean, flags, {3}))), flags);
  EXPECT_TRUE(given<float>(record_source(view(DType::float32, std::vector<float>{}, {0, 3}))).empty());
}

TEST(RecordSource, BringsElementsIntoOrder) {
  const std::vector<std::int16_t> values{0, 1, 2, 3, 4, 5, 6};
  TensorRecord transposed = view(DType::int16, values, {3, 2});
  transposed.offset = 1;
  transposed.strides = {1, 3};
  EXPECT_EQ(given<std::int16_t>(record_source(transposed)), (std::vector<std::int16_t>{1, 4, 2, 5, 3, 6}));
  const std::vector<std::uint64_t> swapped{0x0100000000000000u, 0x0200000000000000u};
  TensorRecord big = view(DType::int64, swapped, {2});
  big.byte_order = std::endian::big;
  EXPECT_EQ(given<std::int64_t>(record_source(big)), (std::vector<std::int64_t>{1, 2}));
  const std::vector<std::uint32_t> one{0x0000803fu};
  TensorRecord expanded = view(DType::float32, one, {2, 2});
  expanded.byte_order = std::endian::big;
  expanded.strides = {0, 0};
  EXPECT_EQ(given<float>(record_source(expanded)), (std::vector<float>{1, 1, 1, 1}));
}

TEST(RecordSource, ConvertsToTheNearest) {
  const std::vector<float> values{1.0f, 1.0f + 0x1p-11f, 1.0f + 0x3p-11f, 65504.0f, 0x1p-24f, -2.0f};
  const TensorSource half = record_source(view(DType::float32, values, {2, 3}), DType::float16);
  EXPECT_EQ(half.dtype, DType::float16);
  EXPECT_EQ(half.shape, (Shape{2, 3}));
  EXPECT_EQ(given<std::uint16_t>(half),
            (std::vector<std::uint16_t>{0x3c00, 0x3c00, 0x3c02, 0x7bff, 0x0001, 0xc000}));
  const std::vector<double> doubles{1.0, 1.0 + 0x1p-8, 1.0 + 0x3p-8};
  EXPECT_EQ(given<std::uint16_t>(record_source(view(DType::float64, doubles, {3}), DType::bfloat16)),
            (std::vector<std::uint16_t>{0x3f80, 0x3f80, 0x3f82}));
  const std::vector<std::uint16_t> halves{0x3c00, 0x0001, 0x7c00};
  EXPECT_EQ(given<float>(record_source(view(DType::float16, halves, {3}), DType::float32)),
            (std::vector<float>{1.0f, 0x1p-24f, std::numeric_limits<float>::infinity()}));
}

TEST(RecordSource, CountsWhatBecomesInfinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{65519.0f, 65520.0f, -1e30f, infinity, std::nanf("")};
  std::uint64_t overflowed = 0;
  const auto count = [&](std::uint64_t more) { overflowed += more; };
  const auto half =
      given<std::uint16_t>(record_source(view(DType::float32, values, {5}), DType::float16, count));
  EXPECT_EQ(half[0], 0x7bff);
  EXPECT_EQ(half[1], 0x7c00);
  EXPECT_EQ(half[2], 0xfc00);
  EXPECT_EQ(overflowed, 2u) << "what was infinite before does not count";
  const std::vector<double> large{1e300};
  EXPECT_EQ(given<float>(record_source(view(DType::float64, large, {1}), DType::float32, count))[0],
            infinity);
  EXPECT_EQ(overflowed, 3u);
}

TEST(RecordSource, IntegersAndDoublesAreNoTarget) {
  const std::vector<std::int64_t> whole{1};
  const std::vector<float> real{1};
  EXPECT_THROW(record_source(view(DType::int64, whole, {1}), DType::float32), ArgumentError);
  EXPECT_THROW(record_source(view(DType::float32, real, {1}), DType::int64), ArgumentError);
  EXPECT_THROW(record_source(view(DType::float32, real, {1}), DType::float64), ArgumentError);
}

TEST(RecordSource, NoTensorIsHeldTwice) {
  const std::vector<float> values(1 << 18, 1.5f);
  std::size_t largest = 0;
  const auto half =
      given<std::uint16_t>(record_source(view(DType::float32, values, {1 << 18}), DType::float16), &largest);
  EXPECT_EQ(half, std::vector<std::uint16_t>(1 << 18, 0x3e00));
  EXPECT_LE(largest, std::size_t{1} << 17);
}

}  // namespace
}  // namespace dformer
