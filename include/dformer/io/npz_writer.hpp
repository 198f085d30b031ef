#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/error.hpp>
#include <dformer/core/npy_header.hpp>
#include <dformer/io/npz.hpp>
#include <dformer/io/tensor_name.hpp>
#include <dformer/io/tensor_source.hpp>
#include <dformer/io/zip_writer.hpp>

namespace dformer {

/// Writes arrays as numpy.savez does: `numpy.load(path)[name]`. The file appears complete or not at all.
/// Throws: ArgumentError for a name that is given twice or that no archive may hold, for bfloat16 (which
/// NumPy lacks), and for contents of a wrong size; FileError.
inline void write_npz(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  std::unordered_set<std::string_view> names;
  for (const NamedTensor& entry : tensors) {
    if (!names.insert(entry.name).second)
      throw_argument_error("[write_npz] the name '" + entry.name + "' is given twice");
    if (const std::string fault = io::fault_of_name(entry.name); !fault.empty())
      throw_argument_error("[write_npz] " + fault);
    if (!io::is_plain_record_name(entry.name)) {
      throw_argument_error("[write_npz] '" + entry.name +
                           "' cannot name a file inside an archive; rename it (no leading /, no .., no \\)");
    }
  }
  AtomicFile file(path);
  io::ZipWriter zip(file);
  for (const NamedTensor& entry : tensors) {
    const std::string header = npy_header(entry.tensor.dtype, entry.tensor.shape);
    zip.add(entry.name + std::string(io::npy_extension), header.size() + entry.tensor.size(),
            [&](const ByteSink& sink) {
              sink(std::as_bytes(std::span(header)));
              io::give_content(entry, "write_npz", sink);
            });
  }
  zip.finish();
  file.commit();
}

}  // namespace dformer
