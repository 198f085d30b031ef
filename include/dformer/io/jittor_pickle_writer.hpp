#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/npy_header.hpp>
#include <dformer/io/jittor_pickle.hpp>
#include <dformer/io/sha1.hpp>
#include <dformer/io/tree_pickler.hpp>

namespace dformer {

namespace io {

/// Pickles a tree in protocol 4, its tensors as NumPy arrays in the midst of it, and gives it to `sink` piece
/// by piece.
class NumpyPickler final : public TreePickler {
 public:
  /// Throws: ArgumentError, as TreePickler does, and for bfloat16, which NumPy lacks; what `sink` throws.
  NumpyPickler(const TorchValue& root, const ByteSink& sink)
      : TreePickler(4, "write_jittor_pickle"), sink_(sink) {
    write(root);
    out_.stop();
    flush();
  }

 private:
  /// numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), b'b'), whose state is then (1, shape, dtype,
  /// column-major, content).
  void write_tensor(const TensorSource& tensor) override {
    out_.global("numpy.core.multiarray", "_reconstruct");
    out_.mark();
    out_.global("numpy", "ndarray");
    write_extents({0});
    out_.begin_bytes(1);
    out_.raw("b");
    out_.tuple();
    out_.reduce();
    out_.mark();
    out_.integer(1);
    write_extents(tensor.shape);
    write_dtype(tensor.dtype);
    out_.boolean(false);
    out_.begin_bytes(tensor.size());
    flush();
    give_content({path(), tensor}, "write_jittor_pickle", sink_);
    out_.tuple();
    out_.build();
  }

  /// numpy.dtype(code, align, copy), whose state is then (3, order of bytes, and what only records have).
  void write_dtype(DType dtype) {
    out_.global("numpy", "dtype");
    out_.mark();
    out_.text(numpy_code(dtype));
    out_.boolean(false);
    out_.boolean(true);
    out_.tuple();
    out_.reduce();
    out_.mark();
    out_.integer(3);
    out_.text(size_of(dtype) == 1 ? "|" : "<");
    for (int i = 0; i < 3; ++i) out_.none();
    for (int i = 0; i < 2; ++i) out_.integer(-1);
    out_.integer(0);
    out_.tuple();
    out_.build();
  }

  void flush() {
    const std::string written = out_.take();
    sink_(std::as_bytes(std::span(written)));
  }

  const ByteSink& sink_;
};

}  // namespace io

/// Writes a tree of values as `jittor.save` does for `.pkl`: a pickle of NumPy arrays, sealed by its SHA-1.
/// `jittor.load` reads it, and with the last 28 bytes cut off so does Python's pickle. Tensors are asked for
/// their elements one after the other. The file appears complete or not at all. Throws: ArgumentError for
/// bfloat16, a key that stands twice in a dict, or a tensor whose content has another size than its shape;
/// FileError.
inline void write_jittor_pickle(const std::filesystem::path& path, const TorchValue& root) {
  AtomicFile file(path);
  io::Sha1 sum;
  io::NumpyPickler(root, [&](std::span<const std::byte> bytes) {
    sum.add(bytes);
    file.write(bytes);
  });
  file.write(sum.digest());
  file.write(std::as_bytes(std::span(io::jittor_mark)));
  file.commit();
}

}  // namespace dformer
