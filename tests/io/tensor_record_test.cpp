#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/tensor_bounds.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;

template <class T>
TensorRecord view(DType dtype, const std::vector<T>& values, const Shape& shape) {
  TensorRecord record;
  record.name = "w";
  record.dtype = dtype;
  record.shape = shape;
  record.strides = contiguous_strides(shape);
  record.storage = std::as_bytes(std::span(values));
  record.byte_order = std::endian::native;
  return record;
}

TEST(TensorRecord, ConvertsHalfs) {
  const std::vector<std::uint16_t> bits{0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400,
                                        0x0001, 0x03ff, 0x8001, 0x7c00, 0xfc00, 0x7e01};
  const std::vector<float> values = view(DType::float16, bits, {12}).to_float32();
  const std::vector<float> expected{0.0f,
                                    -0.0f,
                                    1.0f,
                                    -2.0f,
                                    65504.0f,
                                    0x1p-14f,
                                    0x1p-24f,
                                    0x1.ff8p-15f,
                                    -0x1p-24f,
                                    std::numeric_limits<float>::infinity(),
                                    -std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected[i])) << i;
  }
  EXPECT_TRUE(std::isnan(values[11]));
}

TEST(TensorRecord, ConvertsBfloat16) {
  const std::vector<std::uint16_t> bits{0x0000, 0x8000, 0x3f80, 0xc040, 0x7f7f, 0x0001, 0x7f80, 0x7fc0};
  const std::vector<float> values = view(DType::bfloat16, bits, {8}).to_float32();
  const std::vector<float> expected{
      0.0f, -0.0f, 1.0f, -3.0f, 0x1.fep127f, 0x1p-133f, std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected[i])) << i;
  }
  EXPECT_TRUE(std::isnan(values[7]));
}

TEST(TensorRecord, ConvertsEveryOtherType) {
  EXPECT_EQ(view(DType::float64, std::vector<double>{0.1, -1e300}, {2}).to_float32(),
            (std::vector<float>{0.1f, -std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(view(DType::int64, std::vector<std::int64_t>{-3, 1 << 24}, {2}).to_float32(),
            (std::vector<float>{-3, 0x1p24f}));
  EXPECT_EQ(view(DType::int32, std::vector<std::int32_t>{-3}, {1}).to_float32(), (std::vector<float>{-3}));
  EXPECT_EQ(view(DType::int16, std::vector<std::int16_t>{-3}, {1}).to_float32(), (std::vector<float>{-3}));
  EXPECT_EQ(view(DType::int8, std::vector<std::int8_t>{-3}, {1}).to_float32(), (std::vector<float>{-3}));
  EXPECT_EQ(view(DType::uint8, std::vector<std::uint8_t>{253}, {1}).to_float32(), (std::vector<float>{253}));
  EXPECT_EQ(view(DType::boolean, std::vector<std::uint8_t>{0, 1, 7}, {3}).to_float32(),
            (std::vector<float>{0, 1, 1}));
}

TEST(TensorRecord, SwapsForeignByteOrder) {
  const std::vector<std::uint32_t> bits{0x0000803fu, 0x000020c1u};  // 1 and -10, the other way round
  TensorRecord record = view(DType::float32, bits, {2});
  record.byte_order = std::endian::native == std::endian::little ? std::endian::big : std::endian::little;
  EXPECT_EQ(record.to_float32(), (std::vector<float>{1, -10}));
  const std::vector<std::int64_t> swapped{std::int64_t{5} << 56};
  TensorRecord integer = view(DType::int64, swapped, {1});
  integer.byte_order = record.byte_order;
  EXPECT_EQ(integer.to_int64(), (std::vector<std::int64_t>{5}));
}

TEST(TensorRecord, FollowsStridesAndOffset) {
  std::vector<float> storage(24);
  for (std::size_t i = 0; i < storage.size(); ++i) storage[i] = static_cast<float>(i);
  TensorRecord record = view(DType::float32, storage, {3, 2});
  record.strides = {1, 3};
  record.offset = 4;
  EXPECT_FALSE(record.contiguous());
  EXPECT_EQ(record.to_float32(), (std::vector<float>{4, 7, 5, 8, 6, 9}));
  record.strides = {0, 0};
  EXPECT_EQ(record.to_float32(), (std::vector<float>{4, 4, 4, 4, 4, 4}));
  record.shape = {2, 2, 2};
  record.strides = {12, 2, 5};
  record.offset = 0;
  EXPECT_EQ(record.to_float32(), (std::vector<float>{0, 5, 2, 7, 12, 17, 14, 19}));
}

TEST(TensorRecord, ScalarsAndEmptyTensors) {
  EXPECT_EQ(view(DType::float32, std::vector<float>{2.5f}, {}).to_float32(), (std::vector<float>{2.5f}));
  EXPECT_TRUE(view(DType::float32, std::vector<float>{}, {0, 3}).to_float32().empty());
  EXPECT_TRUE(view(DType::float16, std::vector<std::uint16_t>{}, {3, 0}).to_float32().empty());
}

TEST(TensorRecord, UnitExtentsDoNotMakeATensorStrided) {
  TensorRecord record = view(DType::float32, std::vector<float>(6), {2, 1, 3});
  record.strides = {3, 77, 1};
  EXPECT_TRUE(record.contiguous());
}

TEST(TensorRecord, IntegersKeepAllBits) {
  const std::int64_t large = (std::int64_t{1} << 62) + 1;
  EXPECT_EQ(view(DType::int64, std::vector<std::int64_t>{large}, {1}).to_int64(),
            (std::vector<std::int64_t>{large}));
  EXPECT_EQ(view(DType::float32, std::vector<float>{-4.0f}, {1}).to_int64(), (std::vector<std::int64_t>{-4}));
  for (const float unfit :
       {0.5f, 0x1p63f, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    EXPECT_THROW(view(DType::float32, std::vector<float>{unfit}, {1}).to_int64(), ArgumentError) << unfit;
  }
}

TEST(TensorRecord, RefusesRoomOfAnotherSize) {
  const std::vector<float> storage{1, 2, 3};
  std::vector<float> room(4);
  try {
    view(DType::float32, storage, {3}).to_float32(std::span<float>(room));
    FAIL();
  } catch (const ArgumentError& error) {
    EXPECT_NE(std::string(error.what()).find("'w' has shape (3), room for 3 elements expected, got 4"),
              std::string::npos)
        << error.what();
  }
}

Kind bounds_error(const TensorRecord& record) {
  return testing::expect_checkpoint_error([&] { io::check_bounds(record, "file"); }).kind();
}

TEST(TensorBounds, AcceptsExactlyWhatFits) {
  const std::vector<float> storage(16);
  TensorRecord record = view(DType::float32, storage, {2, 4});
  record.strides = {8, 1};
  record.offset = 4;
  io::check_bounds(record, "file");  // the last element is number 15
  record.offset = 5;
  EXPECT_EQ(bounds_error(record), Kind::out_of_bounds);
  record.offset = -1;
  EXPECT_EQ(bounds_error(record), Kind::out_of_bounds);
}

TEST(TensorBounds, RefusesWhatOverflows) {
  const std::vector<float> storage(16);
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  const std::vector<std::pair<Shape, Shape>> cases{{{huge, huge}, {0, 0}},
                                                   {{2, 2}, {huge, huge}},
                                                   {{huge}, {huge}},
                                                   {{huge, huge, 0}, {1, 1, 1}},
                                                   {{3}, {std::numeric_limits<std::int64_t>::max()}},
                                                   {{1, 2}, {std::numeric_limits<std::int64_t>::max(), 2}}};
  for (const auto& [shape, strides] : cases) {
    TensorRecord record = view(DType::float32, storage, {1});
    record.shape = shape;
    record.strides = strides;
    EXPECT_EQ(bounds_error(record), Kind::out_of_bounds) << to_string(shape);
  }
  TensorRecord record = view(DType::float32, storage, {1});
  record.offset = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(bounds_error(record), Kind::out_of_bounds);
}

TEST(TensorBounds, RepeatedElementsHaveALimit) {
  const std::vector<float> storage(16);
  TensorRecord record = view(DType::float32, storage, {1});
  record.shape = {1 << 14, 1 << 14};
  record.strides = {0, 0};
  io::check_bounds(record, "file");  // a gigabyte of one number
  record.shape = {1 << 14, (1 << 14) + 1};
  EXPECT_EQ(bounds_error(record), Kind::out_of_bounds);
}

TEST(TensorBounds, RefusesNegativeExtentsAndStrides) {
  const std::vector<float> storage(16);
  TensorRecord record = view(DType::float32, storage, {2, 2});
  record.strides = {2, -1};
  EXPECT_EQ(bounds_error(record), Kind::invalid_shape);
  record.shape = {-2, 2};
  EXPECT_EQ(bounds_error(record), Kind::invalid_shape);
}

TEST(TensorBounds, EmptyTensorsNeedNoElements) {
  const std::vector<float> storage;
  TensorRecord record = view(DType::float32, storage, {0, 3});
  io::check_bounds(record, "file");
  record.offset = 1;
  EXPECT_EQ(bounds_error(record), Kind::out_of_bounds);
}

}  // namespace
}  // namespace dformer
