#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <string_view>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/kept_bytes.hpp>
#include <dformer/io/pickle.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/sha1.hpp>
#include <dformer/io/state_dict.hpp>

namespace dformer::io {

/// What ends a file of Jittor, behind the SHA-1 of all before.
inline constexpr std::string_view jittor_mark = "HCAJSLHD";

inline bool looks_like_pickle(std::span<const std::byte> file) {
  return file.size() >= 2 && file[0] == std::byte{0x80} && file[1] >= std::byte{2} && file[1] <= std::byte{5};
}

/// Reads a pickle of NumPy arrays or jittor.Var objects, as Jittor writes for `.pkl`. Jittor appends the
/// SHA-1 of the pickle (20 bytes) and the mark HCAJSLHD; a bare pickle is accepted too, as Jittor does.
/// Throws: CheckpointError.
inline CheckpointContents read_jittor_pickle(std::span<const std::byte> file, std::string_view path,
                                             KeptBytes& kept) {
  using Kind = CheckpointError::Kind;
  constexpr std::size_t trailer_size = std::tuple_size_v<Sha1Digest> + jittor_mark.size();
  std::span<const std::byte> content = file;
  if (file.size() >= trailer_size && as_text(file).ends_with(jittor_mark)) {
    content = file.first(file.size() - trailer_size);
    const Sha1Digest digest = sha1(content);
    if (!std::ranges::equal(digest, file.subspan(content.size(), digest.size()))) {
      throw_checkpoint_error(
          Kind::checksum_mismatch, path, content.size(),
          "the bytes do not match the SHA-1 at the end: the file is damaged, fetch it again");
    }
  }
  ByteReader reader(content, path);
  const Pickle pickle = parse_pickle(reader);
  if (reader.remaining() != 0) {
    reader.fail(Kind::corrupt_container,
                std::to_string(reader.remaining()) +
                    " bytes follow the pickle and are no Jittor trailer; the file is cut off or damaged");
  }
  const auto no_storage = [&](const TorchStorage& storage,
                              std::uint64_t file_offset) -> std::span<const std::byte> {
    throw_checkpoint_error(
        Kind::missing_record, path, file_offset,
        "a bare pickle refers to torch storage '" + storage.key + "', which it cannot hold");
  };
  return read_state_dict({pickle, path, kept, no_storage, std::endian::little});
}

}  // namespace dformer::io
