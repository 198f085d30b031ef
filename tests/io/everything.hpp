#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <dformer/io/tensor_source.hpp>
#include <dformer/io/torch_value.hpp>

namespace dformer::testing {

/// Elements that no type above has on the host, as their bits.
inline TensorSource bits(DType dtype, const Shape& shape, std::vector<std::uint16_t> values) {
  TensorSource tensor = tensor_of(shape, std::vector<std::int16_t>(values.begin(), values.end()));
  tensor.dtype = dtype;
  return tensor;
}

/// One of everything that can be written.
inline TorchDict everything() {
  return {
      {"model",
       TorchDict{{"weight", tensor_of({2, 3}, std::vector<float>{1, -2, 0.5f, 3e38f, 1e-45f, -0.0f})},
                 {"half", bits(DType::float16, {3}, {0x3c00, 0xc000, 0x0001})},
                 {"brain", bits(DType::bfloat16, {1, 2}, {0x3f80, 0x7f80})},
                 {"double", tensor_of({1}, std::vector<double>{0.1})},
                 {"long", tensor_of({2}, std::vector<std::int64_t>{-1, std::int64_t{1} << 40})},
                 {"byte", tensor_of({5}, std::vector<std::uint8_t>{0, 1, 2, 3, 255})},
                 {"int", tensor_of({1}, std::vector<std::int32_t>{-7})},
                 {"char", tensor_of({1}, std::vector<std::int8_t>{-7})},
                 {"scalar", tensor_of(2.5f)},
                 {"counter", tensor_of(std::int64_t{7})},
                 {"flag", tensor_of(true)},
                 {"none", tensor_of({0, 4}, std::vector<float>{})}}},
      {"small", 7},
      {"byte", 200},
      {"two bytes", 65535},
      {"negative", -1},
      {"wide", std::numeric_limits<std::int64_t>::min()},
      {"widest", std::numeric_limits<std::int64_t>::max()},
      {"real", 6e-5},
      {"yes", true},
      {"no", false},
      {"nothing", TorchValue()},
      {"text", "caf\xc3\xa9 'quoted'"},
      {"long text", std::string(300, 'x')},
      {"list", TorchList{1, "two", TorchList{}}},
      {"tuple", TorchTuple{0.9, 0.999, TorchTuple{}}},
      {"by number", TorchDict{{0, "zero"}, {300, TorchDict{}}}},
  };
}

}  // namespace dformer::testing
