#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/io/array_layout.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/numpy_codes.hpp>
#include <dformer/io/pickle_shape.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Reads the arrays and scalars that NumPy pickles, in any byte order and in row- or column-major order.
class NumpyReader {
 public:
  explicit NumpyReader(const PickleSource& source) : source_(source) {}

  static bool is_array(const PickleGlobal& callable) {
    const bool core =
        callable.module == "numpy.core.multiarray" || callable.module == "numpy._core.multiarray";
    const bool numeric = callable.module == "numpy.core.numeric" || callable.module == "numpy._core.numeric";
    return (core && (callable.name == "_reconstruct" || callable.name == "scalar")) ||
           (numeric && callable.name == "_frombuffer");
  }

  /// `object` is one for whose callable is_array holds.
  /// Throws: CheckpointError.
  TensorRecord read(const PickleGlobal& callable, const PickleObject& object, std::string name) const {
    TensorRecord record;
    record.name = std::move(name);
    bool column_major = false;
    if (callable.name == "scalar") {  // scalar(dtype, bytes)
      const auto arguments = source_.arguments(object, 2);
      read_dtype(arguments[0], object, record);
      record.storage = bytes_of(arguments[1], object);
    } else if (callable.name == "_frombuffer") {  // _frombuffer(bytes, dtype, shape, order)
      const auto arguments = source_.arguments(object, 4);
      record.storage = bytes_of(arguments[0], object);
      read_dtype(arguments[1], object, record);
      record.shape = read_extents(source_, arguments[2], object);
      column_major = arguments[3].is(PickleValue::Kind::text) && arguments[3].text() == "F";
    } else {  // the state is (version, shape, dtype, column-major, bytes)
      if (!object.state.is(PickleValue::Kind::tuple)) fail(object, "an array without state");
      const auto state = source_.pickle.items(object.state);
      if (state.size() != 5)
        fail(object, "an array's state has " + std::to_string(state.size()) + " parts, 5 expected");
      record.shape = read_extents(source_, state[1], object);
      read_dtype(state[2], object, record);
      column_major = state[3].is(PickleValue::Kind::boolean) && state[3].integer != 0;
      record.storage = bytes_of(state[4], object);
    }
    lay_out_array(record, column_major, source_.path, object.file_offset);
    return record;
  }

 private:
  using Kind = CheckpointError::Kind;

  [[noreturn]] void fail(const PickleObject& object, const std::string& what) const {
    source_.fail(Kind::corrupt_container, object.file_offset, "NumPy array: " + what);
  }

  void read_dtype(const PickleValue& value, const PickleObject& array, TensorRecord& record) const {
    const PickleGlobal* callable = source_.pickle.callable(value);
    if (callable == nullptr || !callable->is("numpy", "dtype")) fail(array, "its dtype is none");
    const PickleObject& object = source_.pickle.object(value);
    const PickleValue& code = source_.arguments(object, 1)[0];
    if (!code.is(PickleValue::Kind::text)) fail(array, "its dtype has no type code");
    const std::string_view text = code.text();
    char order = '<';
    if (object.state.is(PickleValue::Kind::tuple)) {
      const auto state = source_.pickle.items(object.state);
      if (state.size() >= 2 && state[1].is(PickleValue::Kind::text) && !state[1].data.empty())
        order = state[1].text()[0];
    }
    if (set_numpy_type(record, text, order)) return;
    source_.fail(Kind::unsupported_dtype, object.file_offset,
                 "NumPy type code '" + std::string(text.substr(0, 20)) + "' of '" + record.name +
                     "' is not supported");
  }

  /// Before protocol 3, Python writes bytes as text of the same code points, and a call to encode it.
  std::span<const std::byte> bytes_of(const PickleValue& value, const PickleObject& array) const {
    if (value.is(PickleValue::Kind::bytes) || value.is(PickleValue::Kind::text)) return value.data;
    const PickleGlobal* callable = source_.pickle.callable(value);
    if (callable != nullptr && callable->name == "bytes") return {};
    if (callable == nullptr || !callable->is("_codecs", "encode")) fail(array, "its content is no bytes");
    const PickleValue& text = source_.arguments(source_.pickle.object(value), 1)[0];
    if (!text.is(PickleValue::Kind::text)) fail(array, "its content is no text");
    if (const auto* decoded = source_.kept.find(text.data.data())) return *decoded;
    std::vector<std::byte> bytes;
    bytes.reserve(text.data.size());
    for (std::size_t i = 0; i < text.data.size(); ++i) {
      const auto first = static_cast<unsigned>(text.data[i]);
      if (first < 0x80) {
        bytes.push_back(text.data[i]);
        continue;
      }
      const auto second = i + 1 < text.data.size() ? static_cast<unsigned>(text.data[i + 1]) : 0u;
      if ((first != 0xc2 && first != 0xc3) || (second & 0xc0u) != 0x80)
        fail(array, "its content is no Latin-1 text");
      bytes.push_back(static_cast<std::byte>(((first & 3u) << 6) | (second & 0x3fu)));
      ++i;
    }
    return source_.kept.keep(text.data.data(), std::move(bytes));
  }

  const PickleSource& source_;
};

}  // namespace dformer::io
