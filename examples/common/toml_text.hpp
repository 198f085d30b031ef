#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include <dformer/core/error.hpp>

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

/// Whether a line begins a section, and not with a letter, a digit, - , _ or a quote behind its brackets.
inline bool has_nameless_section(std::string_view line) {
  const auto skip = [&](const char* symbols) {
    line.remove_prefix(std::min(line.find_first_not_of(symbols), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('[')) return false;
  line.remove_prefix(line.starts_with("[[") ? 2 : 1);
  skip(" \t");
  return line.empty() || (!std::isalnum(static_cast<unsigned char>(line[0])) &&
                          std::string_view("-_\"']").find(line[0]) == line.npos);
}

/// toml++ 3 takes two things for granted, and stops the program, or goes on without having looked, where they
/// are not so. Throws: ArgumentError.
inline void require_readable(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = text.find('\n');
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(length == text.npos ? text.size() : length + 1);
    const char* wrong = has_bare_unicode(line) ? "a character beyond ASCII must be in quotes"
                        : has_nameless_section(line)
                            ? "a section's name expected behind '[', as in [optimizer]"
                            : nullptr;
    if (wrong != nullptr)
      throw_argument_error("[" + source + ":" + std::to_string(number) + "] is no TOML: " + wrong);
  }
}

}  // namespace detail

/// The table that TOML text says; `source` names it in errors. Throws: toml::parse_error; ArgumentError for
/// what toml++ does not survive.
inline toml::table parse_toml(std::string_view text, const std::string& source) {
  detail::require_readable(text, source);
  return toml::parse(text, std::string_view(source));
}

}  // namespace dformer::programs
