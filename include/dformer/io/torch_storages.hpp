#pragma once

#include <array>
#include <string_view>
#include <utility>

#include <dformer/core/dtype.hpp>

namespace dformer::io {

/// Storage types as torch's pickles spell them.
inline constexpr std::array<std::pair<std::string_view, DType>, 10> torch_storages{{
    {"FloatStorage", DType::float32},
    {"HalfStorage", DType::float16},
    {"BFloat16Storage", DType::bfloat16},
    {"DoubleStorage", DType::float64},
    {"LongStorage", DType::int64},
    {"IntStorage", DType::int32},
    {"ShortStorage", DType::int16},
    {"CharStorage", DType::int8},
    {"ByteStorage", DType::uint8},
    {"BoolStorage", DType::boolean},
}};

}  // namespace dformer::io
