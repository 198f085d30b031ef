#pragma once

#include <bit>
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
#include <dformer/io/pickle.hpp>
#include <dformer/io/pickle_source.hpp>
#include <dformer/io/state_dict.hpp>

namespace dformer::io {

/// The stream begins with a pickle of one ten-byte integer.
inline bool looks_like_torch_legacy(std::span<const std::byte> file) {
  const std::string_view text = as_text(file);
  return text.starts_with('\x80') &&
         text.substr(0, 32).find("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") != text.npos;
}

/// Reads what torch.save wrote before version 1.6: five pickles (magic number, protocol, facts on the system,
/// the object, the keys of its storages), then for each key the number of elements and the elements, always
/// little-endian. Throws: CheckpointError.
inline CheckpointContents read_torch_legacy(std::span<const std::byte> file, std::string_view path,
                                            KeptBytes& kept) {
  using Kind = CheckpointError::Kind;
  using ValueKind = PickleValue::Kind;
  ByteReader reader(file, path);
  parse_pickle(reader);  // the magic number
  const std::size_t protocol_at = reader.position();
  const Pickle protocol = parse_pickle(reader);
  if (!protocol.root().is(ValueKind::integer) || protocol.root().integer != 1001) {
    reader.fail(Kind::corrupt_container, "a torch stream of an unknown version; 1001 expected", protocol_at);
  }
  parse_pickle(reader);  // facts on the system; storages do not depend on them
  const Pickle object = parse_pickle(reader);
  const std::size_t keys_at = reader.position();
  const Pickle keys = parse_pickle(reader);
  if (!keys.root().is(ValueKind::list))
    reader.fail(Kind::corrupt_container, "the list of storages is missing", keys_at);

  std::map<std::string, std::span<const std::byte>> storages;
  const auto storage_bytes = [&](const TorchStorage& storage, std::uint64_t file_offset) {
    const auto found = storages.find(storage.key);
    if (found == storages.end()) {
      throw_checkpoint_error(
          Kind::missing_record, path, file_offset,
          "a tensor refers to storage '" + storage.key + "', which the file does not have");
    }
    return found->second;
  };
  const PickleSource source{object, path, kept, storage_bytes, std::endian::little};

  std::map<std::string, std::size_t> element_sizes;  // the storages themselves do not say
  for (const PickleValue& id : object.persistent_ids()) {
    const TorchStorage storage = TorchReader::storage_of(source, id, keys_at);
    element_sizes.emplace(storage.key, size_of(storage.dtype));
  }
  for (const PickleValue& key : keys.items(keys.root())) {
    const std::string name =
        key.is(ValueKind::integer) ? std::to_string(key.integer) : std::string(key.text());
    const auto element = element_sizes.find(name);
    if (element == element_sizes.end()) {
      reader.fail(Kind::corrupt_container,
                  "storage '" + name + "' belongs to no tensor, so its element type is unknown");
    }
    const auto count = reader.read<std::uint64_t>();
    if (count > reader.remaining() / element->second) {
      reader.fail(Kind::corrupt_container,
                  "the file ends inside storage '" + name + "'; it is cut off: fetch it again");
    }
    storages.emplace(name, reader.take(count * element->second));
  }
  return read_state_dict(source);
}

}  // namespace dformer::io
