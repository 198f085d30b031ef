#pragma once

#include <algorithm>
#include <cctype>
#include <string>

namespace dformer {

/// A name as it is compared: extensions of files are known in any case.
inline std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace dformer
