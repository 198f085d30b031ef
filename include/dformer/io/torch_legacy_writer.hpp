#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <dformer/core/atomic_file.hpp>
#include <dformer/io/pickle_writer.hpp>
#include <dformer/io/torch_pickler.hpp>
#include <dformer/io/torch_value.hpp>

namespace dformer {

namespace io {

/// The three pickles before the object: a magic number of ten bytes, the protocol, facts on the system.
inline std::string torch_legacy_start() {
  std::string start("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  PickleWriter protocol(2);
  protocol.integer(1001);
  protocol.stop();
  PickleWriter system(2);
  const auto integer = [&](std::string_view key, std::int64_t value) {
    system.text(key);
    system.integer(value);
  };
  system.empty_dict();
  system.mark();
  integer("protocol_version", 1001);
  system.text("little_endian");
  system.boolean(true);
  system.text("type_sizes");
  system.empty_dict();
  system.mark();
  integer("short", 2);
  integer("int", 4);
  integer("long", 4);
  system.set_items();
  system.set_items();
  system.stop();
  return start + protocol.take() + system.take();
}

}  // namespace io

/// Writes a tree of values as torch.save did before version 1.6, which every torch.load reads: for versions
/// and programs that do not know the zip archive of `write_torch_checkpoint`. The same holds for the tree,
/// the file and the errors.
inline void write_torch_legacy(const std::filesystem::path& path, const TorchValue& root) {
  const io::TorchPickler pickler(root, io::TorchForm::legacy);
  io::PickleWriter keys(2);
  keys.empty_list();
  keys.mark();
  for (std::size_t i = 0; i < pickler.storages().size(); ++i) keys.text(std::to_string(i));
  keys.appends();
  keys.stop();

  AtomicFile file(path);
  const auto write = [&](std::span<const std::byte> bytes) { file.write(bytes); };
  for (const std::string& part : {io::torch_legacy_start(), pickler.pickle(), keys.take()})
    write(std::as_bytes(std::span(part)));
  for (const NamedTensor& storage : pickler.storages()) {
    const std::int64_t numel = storage.tensor.shape.numel();
    write(std::as_bytes(std::span(&numel, 1)));
    io::give_content(storage, "write_torch_legacy", write);
  }
  file.commit();
}

}  // namespace dformer
