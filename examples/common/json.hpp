#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <dformer/core/atomic_file.hpp>
#include <dformer/eval/timing.hpp>

namespace dformer::programs {

using Json = nlohmann::ordered_json;

inline Json to_json(const TimeSummary& times) {
  return {{"mean", times.mean}, {"min", times.min}, {"p50", times.p50},
          {"p90", times.p90},   {"p99", times.p99}, {"max", times.max}};
}

/// Writes a JSON file, complete or not at all. Bytes that are no UTF-8 (file names may hold them) are
/// replaced. Throws: FileError.
inline void write_json(const std::filesystem::path& file, const Json& json) {
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  write_file_atomically(file, text);
}

}  // namespace dformer::programs
