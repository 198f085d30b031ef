#pragma once

#include <span>
#include <string>

namespace dformer::cuda {

/// "7.5" of 75.
inline std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

/// Whether a GPU of this compute capability (75 for 7.5) can run kernels that were compiled for these: code
/// runs on its own and later minor versions of its major one, and the last of them is there as PTX too, which
/// later GPUs compile for themselves.
inline bool can_run(int capability, std::span<const int> compiled) {
  for (const int each : compiled) {
    if (each / 10 == capability / 10 && each <= capability) return true;
  }
  return !compiled.empty() && capability >= compiled.back();
}

/// "7.5, 9.0".
inline std::string capabilities_text(std::span<const int> compiled) {
  std::string text;
  for (const int each : compiled) text += (text.empty() ? "" : ", ") + capability_text(each);
  return text;
}

}  // namespace dformer::cuda
