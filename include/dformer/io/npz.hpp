#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/kept_bytes.hpp>
#include <dformer/io/npy.hpp>
#include <dformer/io/zip_archive.hpp>

namespace dformer::io {

inline constexpr std::string_view npy_extension = ".npy";

/// An archive whose first record is a NumPy file.
inline bool looks_like_npz(std::span<const std::byte> file) {
  constexpr std::size_t header_size = 30;
  const std::string_view text = as_text(file);
  if (!text.starts_with("PK\x03\x04") || text.size() < header_size) return false;
  const std::size_t name_size =
      static_cast<unsigned char>(text[26]) + 256u * static_cast<unsigned char>(text[27]);
  return text.substr(header_size, name_size).ends_with(npy_extension);
}

/// Reads what numpy.savez writes: a zip archive with one NumPy file for each array. Arrays that are stored,
/// not packed, are viewed in place. They come in the order in which they lie in the file. Throws:
/// CheckpointError.
inline CheckpointContents read_npz(std::span<const std::byte> file, std::string_view path, KeptBytes& kept) {
  const ZipArchive archive(file, path);
  std::vector<const ZipRecord*> records;
  for (const ZipRecord& record : archive.records()) {
    if (record.name.ends_with(npy_extension)) records.push_back(&record);
  }
  if (records.empty())
    throw_checkpoint_error(CheckpointError::Kind::no_state_dict, path, 0,
                           "the archive holds no arrays (.npy)");
  std::ranges::sort(records, {}, &ZipRecord::header);

  CheckpointContents contents;
  contents.selected = top_level;
  for (const ZipRecord* record : records) {
    const std::string_view name = record->name.substr(0, record->name.size() - npy_extension.size());
    NpyReader reader(archive.read(*record, kept), path, record->offset);
    contents.tensors.push_back(reader.read(std::string(name)));
  }
  return contents;
}

}  // namespace dformer::io
