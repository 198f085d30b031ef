#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <CLI/CLI.hpp>

#include "program.hpp"
#include <dformer/core/error.hpp>
#include <dformer/core/image_size.hpp>

namespace dformer::programs {

/// A number of digits alone; 0 for anything else. Extents and batches are never 0.
inline std::int64_t positive_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? number : 0;
}

/// "480x640", height first, sides of at most `most`. Throws: ArgumentError.
inline ImageSize parse_size(const std::string& word, int most = std::numeric_limits<int>::max()) {
  const std::size_t x = word.find('x');
  const std::int64_t height = positive_number(std::string_view(word).substr(0, x));
  const std::int64_t width = x == word.npos ? 0 : positive_number(std::string_view(word).substr(x + 1));
  if (height == 0 || width == 0)
    throw_argument_error("HEIGHTxWIDTH expected, such as 480x640, got '" + word + "'");
  if (height > most || width > most)
    throw_argument_error("sides of at most " + std::to_string(most) + " expected, got " + word);
  return {static_cast<int>(height), static_cast<int>(width)};
}

/// Adds an option whose value is HEIGHTxWIDTH. `Size` is ImageSize, or std::optional of it.
template <class Size>
CLI::Option* add_size_option(CLI::App& app, const std::string& name, Size& size, const std::string& what,
                             int most = std::numeric_limits<int>::max()) {
  const auto set = [&size](const std::string& word) { size = parse_size(word); };
  CLI::Option* option = app.add_option_function<std::string>(name, set, what);
  if constexpr (std::is_same_v<Size, ImageSize>) option->default_str(to_string(size));
  const auto parse = [most](const std::string& word) { parse_size(word, most); };
  return option->check(CLI::Validator(parsed_by(parse), "HEIGHTxWIDTH"));
}

}  // namespace dformer::programs
