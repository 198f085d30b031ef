#pragma once

/// CMake reads the version from these three lines.
#define DFORMER_VERSION_MAJOR 0
#define DFORMER_VERSION_MINOR 1
#define DFORMER_VERSION_PATCH 0

namespace dformer {
inline constexpr const char* version = "0.1.0";
}
