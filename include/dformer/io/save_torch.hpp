#pragma once

#include <filesystem>
#include <utility>

#include <dformer/io/saved_tensors.hpp>
#include <dformer/io/torch_writer.hpp>

namespace dformer {

/// The state dict of a network (`saved_tensors`), which must live until the dict is written. It is a part of
/// whatever else a file holds. Throws: UnsetParameterError.
template <class Module>
TorchDict torch_state_dict(const Module& net) {
  TorchDict dict;
  for (NamedTensor& entry : saved_tensors(net)) dict.add(std::move(entry.name), std::move(entry.tensor));
  return dict;
}

/// Writes `{"model": state dict}`, which PyTorch and the official programs read:
/// `model.load_state_dict(torch.load(path)["model"])`. The file appears complete or not at all.
/// Throws: FileError; UnsetParameterError.
template <class Module>
void save_torch(const Module& net, const std::filesystem::path& path) {
  write_torch_checkpoint(path, TorchDict{{"model", torch_state_dict(net)}});
}

}  // namespace dformer
