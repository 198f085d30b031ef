#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/kept_bytes.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/pickle.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/state_dict.hpp>
#include <dformer/io/zip_archive.hpp>

namespace dformer::io {

inline bool looks_like_zip(std::span<const std::byte> file) {
  const std::string_view text = as_text(file);
  return text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06");
}

/// Reads what torch.save writes since version 1.6 (and Jittor for `.pth`): a zip archive of one folder with
/// `data.pkl`, and the storages `data/0`, `data/1` … uncompressed. Tensors view the archive in place. Throws:
/// CheckpointError.
inline CheckpointContents read_torch_zip(std::span<const std::byte> file, std::string_view path,
                                         KeptBytes& kept) {
  using Kind = CheckpointError::Kind;
  const ZipArchive archive(file, path);

  const ZipRecord* record = nullptr;
  for (const ZipRecord& candidate : archive.records()) {
    const std::size_t folder = candidate.name.find('/');
    if (candidate.name == "data.pkl" ||
        (folder != candidate.name.npos && candidate.name.substr(folder) == "/data.pkl")) {
      record = &candidate;
      break;
    }
  }
  if (record == nullptr) {
    throw_checkpoint_error(Kind::missing_record, path, 0,
                           "a zip archive without 'data.pkl': no file of torch.save");
  }
  if (record->deflated && record->size > longest_deflated_pickle) {
    throw_checkpoint_error(Kind::corrupt_container, path, record->offset,
                           "its 'data.pkl' is packed and has " + std::to_string(record->size) +
                               " bytes; at most " + std::to_string(longest_deflated_pickle) +
                               " are read so. torch.save does not pack: save the file again");
  }
  const std::string folder(record->name.substr(0, record->name.size() - std::string_view("data.pkl").size()));

  ByteReader reader(archive.read(*record, kept), path, record->offset);
  const Pickle pickle = parse_pickle(reader);

  std::endian byte_order = std::endian::little;
  if (const ZipRecord* order = archive.find(folder + "byteorder")) {
    if (as_text(archive.read(*order, kept)) == "big") byte_order = std::endian::big;
  }

  std::map<std::string, std::span<const std::byte>> storages;
  const auto storage_bytes = [&](const TorchStorage& storage, std::uint64_t file_offset) {
    auto found = storages.find(storage.key);
    if (found == storages.end()) {
      const std::string name = folder + "data/" + storage.key;
      const ZipRecord* data = archive.find(name);
      if (data == nullptr) {
        throw_checkpoint_error(Kind::missing_record, path, file_offset,
                               "a tensor refers to record '" + name + "', which the archive does not have");
      }
      found = storages.emplace(storage.key, archive.read(*data, kept)).first;
    }
    return found->second;
  };
  return read_state_dict({pickle, path, kept, storage_bytes, byte_order});
}

}  // namespace dformer::io
