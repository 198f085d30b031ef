#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/core/shape.hpp>
#include <dformer/io/array_layout.hpp>
#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/numpy_codes.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Reads one NumPy file (.npy, versions 1 to 3): a magic word, the length of a header, the header, which is a
/// Python dict written out, and the elements.
class NpyReader {
 public:
  /// `origin` is the offset of `bytes` in the file.
  NpyReader(std::span<const std::byte> bytes, std::string_view path, std::uint64_t origin)
      : reader_(bytes, path, origin) {}

  /// Views the elements in place. Throws: CheckpointError.
  TensorRecord read(std::string name) {
    if (reader_.remaining() < 8 || as_text(reader_.take(6)) != "\x93NUMPY")
      reader_.fail(Kind::corrupt_container, "array '" + name + "' is no NumPy file (.npy)", 0);
    const auto major = reader_.read<std::uint8_t>();
    reader_.read<std::uint8_t>();
    if (major < 1 || major > 3) fail("version " + std::to_string(major) + " of NumPy's format is unknown");
    const std::uint64_t length = major == 1 ? reader_.read<std::uint16_t>() : reader_.read<std::uint32_t>();
    header_ = as_text(reader_.take(length));

    TensorRecord record;
    record.name = std::move(name);
    bool column_major = false;
    read_header(record, column_major);
    const std::uint64_t offset = reader_.file_offset(reader_.position());
    record.storage = reader_.take(reader_.remaining());
    lay_out_array(record, column_major, reader_.path(), offset);
    return record;
  }

 private:
  using Kind = CheckpointError::Kind;

  [[noreturn]] void fail(const std::string& what) const {
    reader_.fail(Kind::corrupt_container, "NumPy header: " + what);
  }

  /// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
  void read_header(TensorRecord& record, bool& column_major) {
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = text();
      expect(':');
      if (key == "descr" && !std::exchange(has_type, true)) {
        read_type(record);
      } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
        column_major = boolean();
      } else if (key == "shape" && !std::exchange(has_shape, true)) {
        record.shape = extents();
      } else {
        fail("'" + std::string(key.substr(0, 40)) + "' is unknown or stands twice");
      }
      if (!accept(',') && peek() != '}') fail("a comma is missing");
    }
    if (!has_type || !has_order || !has_shape) fail("'descr', 'fortran_order' and 'shape' are needed");
    if (peek() != '\0') fail("something follows it");
  }

  void read_type(TensorRecord& record) {
    if (peek() == '[')
      reader_.fail(Kind::unsupported_dtype,
                   "array '" + record.name + "' has several fields; save each by itself");
    const std::string_view code = text();
    if (set_numpy_type(record, code)) return;
    const bool objects = code.ends_with('O');
    reader_.fail(Kind::unsupported_dtype,
                 "array '" + record.name + "' has NumPy's type '" + std::string(code.substr(0, 20)) +
                     (objects ? "', Python objects, which are not read" : "', which is not supported"));
  }

  char peek() {
    const std::size_t start = header_.find_first_not_of(" \t\r\n");
    header_.remove_prefix(start == header_.npos ? header_.size() : start);
    return header_.empty() ? '\0' : header_.front();
  }
  bool accept(char symbol) {
    if (peek() != symbol || header_.empty()) return false;
    header_.remove_prefix(1);
    return true;
  }
  void expect(char symbol) {
    if (!accept(symbol)) fail(std::string("'") + symbol + "' is missing");
  }
  /// Between quotes of either kind, without escapes.
  std::string_view text() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a text is missing");
    const std::size_t end = header_.find(quote, 1);
    if (end == header_.npos) fail("a text has no end");
    const std::string_view content = header_.substr(1, end - 1);
    header_.remove_prefix(end + 1);
    return content;
  }
  bool boolean() {
    peek();
    for (const std::string_view word : {"True", "False"}) {
      if (!header_.starts_with(word)) continue;
      header_.remove_prefix(word.size());
      return word == "True";
    }
    fail("True or False is missing");
  }
  Shape extents() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      peek();
      std::int64_t extent = 0;
      const char* begin = header_.data();
      const auto [end, error] = std::from_chars(begin, begin + header_.size(), extent);
      if (error != std::errc()) fail("an extent is no integer of 64 bits");
      header_.remove_prefix(static_cast<std::size_t>(end - begin));
      if (shape.rank() == Shape::max_rank) {
        reader_.fail(Kind::invalid_shape,
                     "an array has more than " + std::to_string(Shape::max_rank) + " axes");
      }
      shape.push_back(extent);
      if (!accept(',') && peek() != ')') fail("a comma is missing");
    }
    return shape;
  }

  ByteReader reader_;
  std::string_view header_;
};

}  // namespace dformer::io
