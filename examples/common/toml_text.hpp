#pragma once

#include <algorithm>
#include <cstddef>
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

/// Whether a line has a character beyond ASCII that is neither quoted nor in a comment. A quote begins a
/// string where a key or a value may begin, or behind an empty string, of three quotes; elsewhere it belongs
/// to a bare word.
inline bool has_bare_unicode(std::string_view line) {
  char quote = 0;
  char before = ',';  // the last character but blanks
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '#') {
      return false;
    } else if ((c == '"' || c == '\'') &&
               (before == c || std::string_view(",=[{.").find(before) != line.npos)) {
      quote = c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return true;
    }
    if (c != ' ' && c != '\t') before = c;
  }
  return false;
}

[[noreturn]] inline void throw_no_toml(const std::string& source, std::size_t line, const std::string& why) {
  throw_argument_error("[" + source + ":" + std::to_string(line) + "] is no TOML: " + why);
}

/// toml++ 3 has no answer to whether some characters beyond ASCII are blanks. Throws: ArgumentError.
inline void require_quoted_unicode(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = text.find('\n');
    if (has_bare_unicode(text.substr(0, length)))
      throw_no_toml(source, number, "a character beyond ASCII must be in quotes");
    text.remove_prefix(length == text.npos ? text.size() : length + 1);
  }
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

}  // namespace detail

/// The table that TOML text says; `source` names it in errors. Throws: toml::parse_error; ArgumentError for
/// what toml++ has no answer to.
inline toml::table parse_toml(std::string_view text, const std::string& source) {
  detail::require_quoted_unicode(text, source);
  try {
    return toml::parse(text, std::string_view(source));
  } catch (const detail::TomlAssertion&) {
    detail::throw_no_toml(source, detail::line_of_assertion(text),
                          "a key, a value or a section's name is not where it should be");
  }
}

}  // namespace dformer::programs
