#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <dformer/core/atomic_file.hpp>
#include <dformer/io/torch_pickler.hpp>
#include <dformer/io/torch_value.hpp>
#include <dformer/io/zip_writer.hpp>

namespace dformer {

/// Writes a tree of values as torch.save does since version 1.6, so that `torch.load(path,
/// weights_only=True)` gives it back: `write_torch_checkpoint("state.pth", TorchDict{{"model",
/// torch_state_dict(net)}, {"epoch", 3}})`. Tensors are asked for their elements one after the other, in the
/// order of the tree, and stored uncompressed at multiples of 64 bytes. The file appears complete or not at
/// all. Throws: ArgumentError for a key that stands twice in a dict or a tensor whose content has another
/// size than its shape; FileError.
inline void write_torch_checkpoint(const std::filesystem::path& path, const TorchValue& root) {
  const io::TorchPickler pickler(root, io::TorchForm::zip);
  AtomicFile file(path);
  io::ZipWriter zip(file);
  zip.add("archive/data.pkl", pickler.pickle());
  zip.add("archive/byteorder", "little");
  std::size_t number = 0;
  for (const NamedTensor& storage : pickler.storages()) {
    zip.add("archive/data/" + std::to_string(number++), storage.tensor.size(), [&](const ByteSink& sink) {
      io::give_content(storage, io::writer_of(io::TorchForm::zip), sink);
    });
  }
  zip.add("archive/version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace dformer
