#pragma once

#include <cstddef>
#include <istream>
#include <string>

namespace dformer {

/// Bytes of a line of a list; a device or a picture given for one may never have an end of line.
inline constexpr std::size_t longest_line = 4096;

/// As std::getline, but a line that is longer ends after `longest_line` + 1 bytes.
inline bool read_line(std::istream& stream, std::string& line) {
  line.clear();
  for (char next = 0; line.size() <= longest_line && stream.get(next);) {
    if (next == '\n') return true;
    line += next;
  }
  return !line.empty();
}

}  // namespace dformer
