#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <dformer/io/safetensors_writer.hpp>
#include <dformer/io/saved_tensors.hpp>

namespace dformer {

/// Writes a network (`saved_tensors`) as a safetensors file. The file appears complete or not at all.
/// Throws: FileError; UnsetParameterError.
template <class Module>
void save_safetensors(const Module& net, const std::filesystem::path& path,
                      const std::map<std::string, std::string>& metadata = {}) {
  write_safetensors(path, saved_tensors(net), metadata);
}

}  // namespace dformer
