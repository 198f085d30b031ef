#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/jittor_pickle.hpp>
#include <dformer/io/npz.hpp>
#include <dformer/io/safetensors.hpp>
#include <dformer/io/torch_legacy.hpp>
#include <dformer/io/torch_zip.hpp>

namespace dformer::io {

namespace detail {

/// What a file is instead of a checkpoint, and what to do about it.
inline std::string describe_stranger(std::span<const std::byte> file) {
  if (file.empty()) return "the file is empty; was the download interrupted? Fetch it again";
  std::string_view text = as_text(file).substr(0, 512);
  struct Sign {
    std::string_view start;
    std::string_view meaning;
  };
  constexpr std::array<Sign, 5> signs{{
      {"version https://git-lfs",
       "this is a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'"},
      {"\x1f\x8b", "this is a gzip file; unpack it first"},
      {"\x89HDF",
       "this is an HDF5 file, which is not supported; save the weights with torch.save or as safetensors"},
      {"\x93NUMPY", "this is a NumPy .npy file of one array, not a table of weights; use numpy.savez"},
      {"\x08",
       "this may be an ONNX file, which cannot be loaded as weights; use the .pth file it was made from"},
  }};
  for (const Sign& sign : signs) {
    if (text.starts_with(sign.start)) return std::string(sign.meaning);
  }
  if (as_text(file).size() >= 262 && as_text(file).substr(257, 5) == "ustar") {
    return "this is a tar archive; unpack it first (the official '.pth.tar' files are no tar archives)";
  }
  bool printable = true;
  for (const char symbol : text) {
    const auto code = static_cast<unsigned char>(symbol);
    printable = printable && (code >= 0x20 || code == '\n' || code == '\r' || code == '\t');
  }
  if (!printable)
    return "this is no checkpoint of torch (.pth, .pth.tar), safetensors, Jittor (.pkl) or NumPy (.npz)";
  if (const std::size_t start = text.find_first_not_of(" \t\r\n"); start != text.npos && text[start] == '<') {
    return "this is a web page, not a checkpoint; the download needs another address, or a log-in";
  }
  return "this is a text file, not a checkpoint";
}

}  // namespace detail

/// Throws: CheckpointError(unrecognized_format), which says what the file is instead where that can be told.
inline FileFormat recognize_format(std::span<const std::byte> file, std::string_view path) {
  if (looks_like_npz(file)) return FileFormat::npz;
  if (looks_like_zip(file)) return FileFormat::torch_zip;
  if (looks_like_torch_legacy(file)) return FileFormat::torch_legacy;
  if (looks_like_pickle(file)) return FileFormat::jittor_pickle;
  if (looks_like_safetensors(file)) return FileFormat::safetensors;
  throw_checkpoint_error(CheckpointError::Kind::unrecognized_format, path, 0,
                         detail::describe_stranger(file));
}

}  // namespace dformer::io
