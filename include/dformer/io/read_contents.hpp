#pragma once

// The readers of all containers behind one function. Like the kernels of the CPU, they can be compiled once:
// the sources of `dformer::cpu` are this header with DFORMER_COMPILE_READERS defined, and whoever links it is
// given DFORMER_PRECOMPILED, under which only the declaration remains.

#include <cstddef>
#include <span>
#include <string_view>

#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/kept_bytes.hpp>

namespace dformer::io {

/// Recognises the container of a checkpoint file by its content and reads it. What could not be viewed in
/// `file` goes to `kept`; tensors are valid as long as both. Throws: CheckpointError.
CheckpointContents read_contents(std::span<const std::byte> file, std::string_view path, KeptBytes& kept);

}  // namespace dformer::io

#if !defined(DFORMER_PRECOMPILED)

#include <dformer/io/check_contents.hpp>
#include <dformer/io/file_format.hpp>
#include <dformer/io/jittor_pickle.hpp>
#include <dformer/io/npz.hpp>
#include <dformer/io/safetensors.hpp>
#include <dformer/io/torch_legacy.hpp>
#include <dformer/io/torch_zip.hpp>

namespace dformer::io {

#if defined(DFORMER_COMPILE_READERS)
[[gnu::used]]  // emitted though nothing here calls it
#endif
inline CheckpointContents
read_contents(std::span<const std::byte> file, std::string_view path, KeptBytes& kept) {
  const FileFormat format = recognize_format(file, path);
  CheckpointContents contents;
  switch (format) {
    case FileFormat::torch_zip:
      contents = read_torch_zip(file, path, kept);
      break;
    case FileFormat::torch_legacy:
      contents = read_torch_legacy(file, path, kept);
      break;
    case FileFormat::safetensors:
      contents = read_safetensors(file, path);
      break;
    case FileFormat::jittor_pickle:
      contents = read_jittor_pickle(file, path, kept);
      break;
    case FileFormat::npz:
      contents = read_npz(file, path, kept);
      break;
  }
  contents.format = format;
  check_contents(contents, path);
  return contents;
}

}  // namespace dformer::io

#endif  // DFORMER_PRECOMPILED
