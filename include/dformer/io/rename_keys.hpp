#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/core/read_line.hpp>

namespace dformer {

/// A user's own renaming: names that start with `from` start with `to` instead. An empty `from` puts `to`
/// before every name.
struct PrefixRename {
  std::string from;
  std::string to;
};

/// "FROM=TO". Throws: ArgumentError unless there is one '=', and something on one of its sides.
inline PrefixRename parse_prefix_rename(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || text.find('=', equals + 1) != text.npos || text.size() == 1) {
    throw_argument_error(
        "[rename] FROM=TO expected, such as encoder.=backbone. (one side may be empty); got '" +
        std::string(text) + "'");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

/// Reads a file of renames, one FROM=TO a line; empty lines and what follows a # do not count, nor do spaces
/// around either side. Throws: FileError; ArgumentError, which names the line.
inline std::vector<PrefixRename> read_prefix_renames(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError("[" + path.string() + "] cannot be opened; a file of FROM=TO lines expected");
  const auto trim = [](std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    const std::size_t begin = text.find_first_not_of(blank);
    return begin == text.npos ? std::string_view()
                              : text.substr(begin, text.find_last_not_of(blank) - begin + 1);
  };
  std::vector<PrefixRename> renames;
  std::string line;
  for (std::size_t number = 1; read_line(file, line); ++number) {
    if (line.size() > longest_line) {
      throw_argument_error("[" + path.string() + "] line " + std::to_string(number) + " has more than " +
                           std::to_string(longest_line) + " bytes; FROM=TO expected");
    }
    const std::string_view text = trim(std::string_view(line).substr(0, line.find('#')));
    if (text.empty()) continue;
    try {
      const PrefixRename rename = parse_prefix_rename(text);
      renames.push_back({std::string(trim(rename.from)), std::string(trim(rename.to))});
    } catch (const ArgumentError& error) {
      throw_argument_error("[" + path.string() + ":" + std::to_string(number) + "] " + error.what());
    }
  }
  if (file.bad()) throw FileError("[" + path.string() + "] cannot be read");
  return renames;
}

/// The first rename that fits, or `renames.size()`.
inline std::size_t find_rename(std::string_view name, const std::vector<PrefixRename>& renames) {
  std::size_t i = 0;
  while (i < renames.size() && !name.starts_with(renames[i].from)) ++i;
  return i;
}

}  // namespace dformer
