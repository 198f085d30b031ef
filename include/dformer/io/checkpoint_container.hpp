#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include <dformer/core/error.hpp>
#include <dformer/core/lower_case.hpp>
#include <dformer/io/checkpoint_contents.hpp>

namespace dformer {

/// A container that checkpoints are written in, by the end of the file's name.
struct CheckpointContainer {
  std::string_view extension;
  io::FileFormat format;
};

/// A file that is read may have any name.
inline constexpr std::array<CheckpointContainer, 7> checkpoint_containers{{
    {".pth", io::FileFormat::torch_zip},
    {".pt", io::FileFormat::torch_zip},
    {".pth.tar", io::FileFormat::torch_zip},
    {".bin", io::FileFormat::torch_zip},
    {".safetensors", io::FileFormat::safetensors},
    {".pkl", io::FileFormat::jittor_pickle},
    {".npz", io::FileFormat::npz},
}};

/// Whether a container keeps numbers, lists and dicts beside the weights: epochs, the state of an optimizer.
constexpr bool holds_trees(io::FileFormat format) {
  return format != io::FileFormat::safetensors && format != io::FileFormat::npz;
}

/// The container that a file of this name has. Throws: ArgumentError for a name that ends like none.
inline io::FileFormat container_of(const std::filesystem::path& path) {
  const std::string name = lower_case(path.filename().string());
  for (const CheckpointContainer& container : checkpoint_containers) {
    if (name.size() > container.extension.size() && name.ends_with(container.extension))
      return container.format;
  }
  std::string text = "[" + path.string() + "] the name of a checkpoint ends with one of";
  for (const CheckpointContainer& container : checkpoint_containers) (text += ' ') += container.extension;
  throw_argument_error(text);
}

}  // namespace dformer
