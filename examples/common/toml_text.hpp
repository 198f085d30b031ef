#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include <dformer/core/error.hpp>

namespace dformer::programs {

namespace detail {

/// toml++ 3 takes for granted that the name of a section begins with a letter, a digit, - , _ or a quote: it
/// stops the program at `[~a]`, or goes on without having looked. Throws: ArgumentError.
inline void require_section_names(std::string_view text, const std::string& source) {
  const auto skip = [](std::string_view& line) {  // blanks, also those beyond ASCII
    while (!line.empty() &&
           (line[0] == ' ' || line[0] == '\t' || static_cast<unsigned char>(line[0]) >= 0x80))
      line.remove_prefix(1);
  };
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = text.find('\n');
    std::string_view line = text.substr(0, length);
    text.remove_prefix(length == text.npos ? text.size() : length + 1);
    skip(line);
    if (!line.starts_with('[')) continue;
    line.remove_prefix(1);
    skip(line);
    if (line.starts_with('[')) {
      line.remove_prefix(1);
      skip(line);
    }
    const char first = line.empty() ? '\n' : line[0];
    if (std::isalnum(static_cast<unsigned char>(first)) ||
        std::string_view("-_\"']").find(first) != std::string_view::npos)
      continue;
    throw_argument_error("[" + source + ":" + std::to_string(number) +
                         "] is no TOML: a section's name expected behind '[', as in [optimizer]");
  }
}

}  // namespace detail

/// The table that TOML text says; `source` names it in errors. Throws: toml::parse_error; ArgumentError for
/// what toml++ does not survive.
inline toml::table parse_toml(std::string_view text, const std::string& source) {
  detail::require_section_names(text, source);
  return toml::parse(text, std::string_view(source));
}

}  // namespace dformer::programs
