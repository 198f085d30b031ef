#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <dformer/core/error.hpp>

namespace dformer::programs::detail {

/// What toml++ took for granted of a text, and is not so.
struct TomlAssertion : std::logic_error {
  using std::logic_error::logic_error;
};
constexpr void require_of_toml(bool met, const char* what) {
  if (!met) throw TomlAssertion(what);
}

}  // namespace dformer::programs::detail

// toml++ 3 takes things for granted that texts which are no TOML do not keep to, such as [1, }. It asserts
// them, and without assertions it goes on all the same. Here they are errors, in every build: no other header
// includes toml++.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) ::dformer::programs::detail::require_of_toml(static_cast<bool>(expr), #expr)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace dformer::programs {

namespace detail {

[[noreturn]] inline void throw_no_toml(const std::string& source, std::size_t line, std::string_view why) {
  throw_argument_error("[" + source + ":" + std::to_string(line) + "] is no TOML: " + std::string(why));
}

/// A character that only strings and comments may have.
inline constexpr char stand_in = '^';

inline bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// The first line that ends with a backslash, blanks behind it aside; 0 where none does.
inline std::size_t line_that_goes_on(std::string_view text) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::size_t last = text.substr(0, end).find_last_not_of(" \t\r\n");
    if (last != text.npos && text[last] == '\\') return line;
    text.remove_prefix(end);
  }
  return 0;
}

/// The line at which reading fails by an assertion: the fewest lines that do.
inline std::size_t line_of_assertion(std::string_view text) {
  const auto fails = [](std::string_view part) {
    try {
      static_cast<void>(toml::parse(part));
    } catch (const toml::parse_error&) {
    } catch (const TomlAssertion&) {
      return true;
    }
    return false;
  };
  const auto first_lines = [&](std::size_t count) {
    std::size_t end = 0;
    for (; count > 0 && end < text.size(); --count) end = std::min(text.find('\n', end), text.size() - 1) + 1;
    return text.substr(0, end);
  };
  std::size_t fewest = 1, all = 1 + static_cast<std::size_t>(std::ranges::count(text, '\n'));
  while (fewest < all) {
    const std::size_t half = fewest + (all - fewest) / 2;
    if (fails(first_lines(half))) {
      all = half;
    } else {
      fewest = half + 1;
    }
  }
  return fewest;
}

/// What toml++ reads, with its assertions as errors that name the line.
inline toml::table parse_asserted(std::string_view text, const std::string& source) {
  try {
    return toml::parse(text, std::string_view(source));
  } catch (const TomlAssertion&) {
    throw_no_toml(source, line_of_assertion(text),
                  "a key, a value or a section's name is not where it should be");
  }
}

}  // namespace detail

/// The table that TOML text says; `source` names it in errors. Throws: toml::parse_error; ArgumentError for
/// what toml++ has no answer to.
inline toml::table parse_toml(std::string_view text, const std::string& source) {
  using namespace detail;
  // Each dot may be a table within a table, and toml++ takes the stack to free them.
  constexpr std::ptrdiff_t most_dots = 4096;
  if (std::ranges::count(text, '.') > most_dots)
    throw_no_toml(source, 1, "it has more than " + std::to_string(most_dots) + " dots, which no recipe has");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (std::ranges::all_of(text, is_ascii)) return parse_asserted(text, source);
  // toml++ 3 asks of characters outside of strings and comments whether they are blanks, and has no answer
  // for some beyond ASCII. With stand-ins for these the text is refused where they may not be.
  std::string ascii(text);
  std::ranges::replace_if(ascii, std::not_fn(is_ascii), stand_in);
  if (const std::size_t line = line_that_goes_on(ascii); line > 0)
    throw_no_toml(source, line, "beside characters beyond ASCII no line may end with a backslash");
  try {
    static_cast<void>(parse_asserted(ascii, source));
  } catch (const toml::parse_error& error) {
    throw_no_toml(source, error.source().begin.line,
                  std::string(error.description()) + " (" + stand_in +
                      " stands for characters beyond ASCII, which must be in quotes)");
  }
  return parse_asserted(text, source);
}

}  // namespace dformer::programs
