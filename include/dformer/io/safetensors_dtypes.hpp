#pragma once

#include <array>
#include <string_view>
#include <utility>

#include <dformer/core/dtype.hpp>

namespace dformer::io {

/// Element types as safetensors spells them.
inline constexpr std::array<std::pair<std::string_view, DType>, 10> safetensors_dtypes{{
    {"F64", DType::float64},
    {"F32", DType::float32},
    {"F16", DType::float16},
    {"BF16", DType::bfloat16},
    {"I64", DType::int64},
    {"I32", DType::int32},
    {"I16", DType::int16},
    {"I8", DType::int8},
    {"U8", DType::uint8},
    {"BOOL", DType::boolean},
}};

}  // namespace dformer::io
