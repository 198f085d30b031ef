#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "byte_builder.hpp"
#include "checkpoint_support.hpp"
#include <dformer/io/safetensors.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::ByteBuilder;
using testing::bytes_of;
using testing::expect_checkpoint_error;

std::string file_of(std::string_view header, std::string_view data) {
  return ByteBuilder().put(std::uint64_t{header.size()}).text(header).text(data).data;
}

void expect_refused(std::string_view header, std::string_view data, Kind kind, std::string_view text) {
  const std::string file = file_of(header, data);
  const CheckpointError error =
      expect_checkpoint_error([&] { io::read_safetensors(bytes_of(file), "file.safetensors"); });
  EXPECT_EQ(error.kind(), kind) << error.what();
  EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const std::string file = file_of(
      R"( { "__metadata__":{"a\"b":"\u00e9\ud83d\ude00\n"} ,"x" : {"shape":[2, 1],"data_offsets":[4,8],"dtype":"F16"},"y":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}}  )",
      std::string("\1\0\1\1\0\x3c\0\xc0", 8));
  const io::CheckpointContents contents = io::read_safetensors(bytes_of(file), "file");
  ASSERT_EQ(contents.tensors.size(), 2u);
  EXPECT_EQ(contents.tensors[0].name, "x");
  EXPECT_EQ(contents.tensors[0].shape, (Shape{2, 1}));
  EXPECT_EQ(contents.tensors[0].to_float32(), (std::vector<float>{1, -2}));
  EXPECT_EQ(contents.tensors[1].to_float32(), (std::vector<float>{1, 0, 1, 1}));
  EXPECT_EQ(std::get<std::string>(contents.metadata.at("a\"b")), "\xc3\xa9\xf0\x9f\x98\x80\n");
}

TEST(Safetensors, HeaderLengthsThatLieAreRefused) {
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 40, ~std::uint64_t{0} >> 8}) {
    const std::string file = ByteBuilder().put(length).text("{}").data;
    EXPECT_EQ(expect_checkpoint_error([&] { io::read_safetensors(bytes_of(file), "file"); }).kind(),
              Kind::corrupt_container);
  }
  EXPECT_EQ(expect_checkpoint_error([] { io::read_safetensors({}, "file"); }).kind(),
            Kind::corrupt_container);
}

TEST(Safetensors, BadJsonIsRefusedWithItsPlace) {
  for (const char* header :
       {"{",
        "[]",
        "{\"x\"}",
        "{\"x\":1}",
        "{\"x\":{}}",
        "{,}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
        "{} x",
        "{\"\\q\":1}",
        "{\"\\u12\":1}",
        "{\"\\ud800x\":1}",
        "{\"\\ud800\\u0041\":1}",
        "{\"\\udc00\":1}",
        "{\"a\tb\":1}",
        "{\"__metadata__\":{\"a\":1}}"}) {
    expect_refused(header, std::string(4, '\0'), Kind::corrupt_container, "safetensors header");
  }
  expect_refused(std::string(1'000'000, '['), "", Kind::corrupt_container, "byte 8");
}

std::string tensor(std::string_view name, std::string_view shape, std::string_view offsets,
                   std::string_view dtype = "F32") {
  return "\"" + std::string(name) + "\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":[" +
         std::string(shape) + "],\"data_offsets\":[" + std::string(offsets) + "]}";
}

TEST(Safetensors, OffsetsThatLieAreRefused) {
  const std::string eight(8, '\0');
  expect_refused("{" + tensor("x", "2", "-8,0") + "}", eight, Kind::corrupt_container, "not negative");
  expect_refused("{" + tensor("x", "-2", "0,8") + "}", eight, Kind::corrupt_container, "not negative");
  expect_refused("{" + tensor("x", "2", "8,0") + "}", eight, Kind::out_of_bounds, "'x'");
  expect_refused("{" + tensor("x", "4", "0,16") + "}", eight, Kind::out_of_bounds, "cut off");
  expect_refused("{" + tensor("x", "1", "0,8") + "}", eight, Kind::size_mismatch, "needs 4 bytes");
  expect_refused("{" + tensor("x", "4611686018427387904,4", "0,8") + "}", eight, Kind::out_of_bounds,
                 "overflows");
  expect_refused("{" + tensor("x", "4611686018427387904,4,0", "0,0") + "}", "", Kind::out_of_bounds,
                 "overflows");
}

TEST(Safetensors, OverlapsGapsAndRepetitionsAreRefused) {
  const std::string eight(8, '\0');
  expect_refused("{" + tensor("x", "1", "0,4") + "," + tensor("y", "2", "0,8") + "}", eight,
                 Kind::corrupt_container, "overlaps");
  expect_refused("{" + tensor("x", "1", "4,8") + "}", eight, Kind::corrupt_container, "gap");
  expect_refused("{" + tensor("x", "1", "0,4") + "}", eight, Kind::corrupt_container, "no tensor");
  expect_refused("{" + tensor("x", "1", "0,4") + "," + tensor("x", "1", "4,8") + "}", eight,
                 Kind::corrupt_container, "twice");
}

TEST(Safetensors, OtherRefusals) {
  expect_refused("{" + tensor("x", "1", "0,1", "F8_E4M3") + "}", "a", Kind::unsupported_dtype, "F8_E4M3");
  expect_refused("{" + tensor("x", "1,1,1,1,1,1,1", "0,4") + "}", "abcd", Kind::invalid_shape, "axes");
  expect_refused("{}", "", Kind::no_state_dict, "no tensors");
  expect_refused("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":[]}}", "abcd",
                 Kind::corrupt_container, "more");
}

TEST(Safetensors, EmptyTensorsAndScalars) {
  const std::string file = file_of("{" + tensor("e", "0,3", "0,0") + "," + tensor("s", "", "0,4") + "}",
                                   std::string("\0\0\x20\x40", 4));
  const io::CheckpointContents contents = io::read_safetensors(bytes_of(file), "file");
  EXPECT_TRUE(contents.tensors[0].to_float32().empty());
  EXPECT_EQ(contents.tensors[1].to_float32(), (std::vector<float>{2.5f}));
}

}  // namespace
}  // namespace dformer
