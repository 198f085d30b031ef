#pragma once

#include <cstdio>
#include <string>

namespace dformer {

/// "0.75", "1", "1e-06": six digits at most.
inline std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace dformer
