#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/utf8.hpp>

namespace dformer::io {

/// Walks over the little of JSON that a safetensors header consists of: objects, arrays, strings and whole
/// numbers, at depths that the caller knows. A general JSON library would cost every program that includes it
/// seconds to compile.
class JsonCursor {
 public:
  /// `origin` is the offset in the file of `text[0]`, no_offset where it does not stand there as it is;
  /// `subject` is what errors call the text.
  JsonCursor(std::string_view text, std::string_view path, std::uint64_t origin, std::string subject)
      : text_(text), path_(path), origin_(origin), subject_(std::move(subject)) {}

  /// Where in the file it stands.
  std::uint64_t file_offset() const {
    return origin_ == CheckpointError::no_offset ? origin_ : origin_ + position_;
  }

  /// Passes over `symbol` (and white space before it) if it comes next.
  bool accept(char symbol) {
    skip_space();
    if (position_ == text_.size() || text_[position_] != symbol) return false;
    ++position_;
    return true;
  }
  /// Throws: CheckpointError(corrupt_container) if `symbol` does not come next; likewise the functions below.
  void expect(char symbol) {
    if (!accept(symbol)) fail(std::string("'") + symbol + "' expected");
  }
  void expect_end() {
    skip_space();
    if (position_ != text_.size()) fail("nothing more expected");
  }

  /// Calls `each(key)` for every entry of an object; it must consume the value.
  template <class Each>
  void object(Each each) {
    expect('{');
    if (accept('}')) return;
    do {
      const std::string key = string();
      expect(':');
      each(key);
    } while (accept(','));
    expect('}');
  }

  /// Calls `each()` for every element of an array; it must consume the element.
  template <class Each>
  void array(Each each) {
    expect('[');
    if (accept(']')) return;
    do {
      each();
    } while (accept(','));
    expect(']');
  }

  /// A whole number from 0 to 2^63 - 1.
  std::int64_t integer() {
    skip_space();
    const std::size_t start = position_;
    std::int64_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      const std::int64_t digit = text_[position_] - '0';
      if (value > (INT64_MAX - digit) / 10) fail("a number does not fit 64 bits");
      value = value * 10 + digit;
    }
    const bool leading_zero = position_ - start > 1 && text_[start] == '0';
    if (position_ == start || leading_zero) fail("a whole number, not negative, expected");
    return value;
  }

  std::string string() {
    expect('"');
    std::string value;
    for (;;) {
      const char symbol = next();
      if (symbol == '"') {
        if (!is_utf8(value)) fail("a string is no UTF-8");
        return value;
      }
      if (static_cast<unsigned char>(symbol) < 0x20) fail("a string contains a control character");
      if (symbol == '\\') {
        append_escape(value);
      } else {
        value += symbol;
      }
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw_checkpoint_error(CheckpointError::Kind::corrupt_container, path_, file_offset(),
                           subject_ + " is no valid JSON of its kind: " + what);
  }

 private:
  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }

  char next() {
    if (position_ == text_.size()) fail("it ends inside a string");
    return text_[position_++];
  }

  void append_escape(std::string& value) {
    constexpr std::string_view escapes = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char symbol = next();
    if (const std::size_t known = escapes.find(symbol); known != escapes.npos) {
      value += meanings[known];
      return;
    }
    if (symbol != 'u') fail("an unknown escape in a string");
    std::uint32_t code = hexadecimal();
    if (code >= 0xd800 && code < 0xdc00) {  // the first half of a pair
      if (next() != '\\' || next() != 'u') fail("half of a surrogate pair in a string");
      const std::uint32_t low = hexadecimal();
      if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      fail("half of a surrogate pair in a string");
    }
    append_utf8(value, code);
  }

  std::uint32_t hexadecimal() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char symbol = next();
      std::uint32_t digit = 0;
      if (symbol >= '0' && symbol <= '9')
        digit = static_cast<std::uint32_t>(symbol - '0');
      else if (symbol >= 'a' && symbol <= 'f')
        digit = static_cast<std::uint32_t>(symbol - 'a') + 10;
      else if (symbol >= 'A' && symbol <= 'F')
        digit = static_cast<std::uint32_t>(symbol - 'A') + 10;
      else
        fail("four hexadecimal digits expected");
      code = code << 4 | digit;
    }
    return code;
  }

  static void append_utf8(std::string& value, std::uint32_t code) {
    const auto add = [&](std::uint32_t byte) {
      value += static_cast<char>(static_cast<unsigned char>(byte));
    };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
      add(0xc0 | (code >> 6));
    } else if (code < 0x10000) {
      add(0xe0 | (code >> 12));
      add(0x80 | ((code >> 6) & 0x3f));
    } else {
      add(0xf0 | (code >> 18));
      add(0x80 | ((code >> 12) & 0x3f));
      add(0x80 | ((code >> 6) & 0x3f));
    }
    add(0x80 | (code & 0x3f));
  }

  std::string_view text_;
  std::string_view path_;
  std::uint64_t origin_;
  std::string subject_;
  std::size_t position_ = 0;
};

}  // namespace dformer::io
