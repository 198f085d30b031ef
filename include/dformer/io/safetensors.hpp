#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <dformer/core/dtype.hpp>
#include <dformer/io/array_layout.hpp>
#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/json_cursor.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/safetensors_dtypes.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer::io {

/// Eight bytes of header length, of which a real one never uses the last, then a JSON object.
inline bool looks_like_safetensors(std::span<const std::byte> file) {
  return file.size() >= 9 && file[7] == std::byte{0} && file[8] == std::byte{'{'};
}

/// Reads a safetensors file: the length of a JSON header, the header, and the tensors one behind the other.
/// Tensors view the file in place. Gaps, overlaps and repeated names are refused, as the format's definition
/// asks.
class SafetensorsReader {
 public:
  SafetensorsReader(std::span<const std::byte> file, std::string_view path) : file_(file), path_(path) {}

  /// Throws: CheckpointError.
  CheckpointContents read() {
    ByteReader reader(file_, path_);
    const auto length = reader.read<std::uint64_t>();
    if (length > longest_safetensors_header || length > reader.remaining()) {
      fail(Kind::corrupt_container, 0,
           "the header should have " + std::to_string(length) + " bytes, the file has " +
               std::to_string(reader.remaining()) + "; it is cut off or no safetensors file");
    }
    const std::string_view header = as_text(reader.take(length));
    data_ = file_.subspan(reader.position());
    JsonCursor json(header, path_, sizeof(length), "the safetensors header");
    json.object([&](const std::string& name) {
      if (!names_.insert(name).second) json.fail("the name '" + name + "' appears twice");
      if (name == "__metadata__") {
        json.object([&](const std::string& key) { contents_.metadata[key] = json.string(); });
      } else {
        read_tensor(json, name);
      }
    });
    json.expect_end();
    refuse_gaps();
    if (contents_.tensors.empty()) fail(Kind::no_state_dict, 0, "the file holds no tensors");
    contents_.selected = top_level;
    return std::move(contents_);
  }

 private:
  using Kind = CheckpointError::Kind;

  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
    std::size_t tensor;
  };

  [[noreturn]] void fail(Kind kind, std::uint64_t offset, const std::string& what) const {
    throw_checkpoint_error(kind, path_, offset, what);
  }

  void read_tensor(JsonCursor& json, const std::string& name) {
    std::optional<DType> dtype;
    std::optional<Shape> shape;
    std::vector<std::int64_t> offsets;
    json.object([&](const std::string& key) {
      if (key == "dtype") {
        dtype = read_dtype(json, name);
      } else if (key == "shape") {
        shape = Shape{};
        json.array([&] {
          if (shape->rank() == Shape::max_rank) {
            fail(Kind::invalid_shape, json.file_offset(),
                 "tensor '" + name + "' has more than " + std::to_string(Shape::max_rank) + " axes");
          }
          shape->push_back(json.integer());
        });
      } else if (key == "data_offsets") {
        json.array([&] { offsets.push_back(json.integer()); });
      } else {
        json.fail("tensor '" + name + "' has an unknown field '" + key + "'");
      }
    });
    if (!dtype || !shape || offsets.size() != 2) {
      json.fail("tensor '" + name + "' needs a dtype, a shape and two data_offsets");
    }
    add_tensor(name, *dtype, *shape, static_cast<std::uint64_t>(offsets[0]),
               static_cast<std::uint64_t>(offsets[1]));
  }

  DType read_dtype(JsonCursor& json, const std::string& name) const {
    const std::string code = json.string();
    for (const auto& [known, dtype] : safetensors_dtypes) {
      if (known == code) return dtype;
    }
    fail(Kind::unsupported_dtype, json.file_offset(),
         "element type '" + code + "' of tensor '" + name + "' is not supported");
  }

  void add_tensor(const std::string& name, DType dtype, const Shape& shape, std::uint64_t begin,
                  std::uint64_t end) {
    const std::uint64_t data_at = file_.size() - data_.size();
    if (begin > end || end > data_.size()) {
      fail(Kind::out_of_bounds, data_at,
           "tensor '" + name + "' should lie at bytes " + std::to_string(begin) + " to " +
               std::to_string(end) + " of the " + std::to_string(data_.size()) +
               " bytes behind the header; is the file cut off?");
    }
    TensorRecord record;
    record.name = name;
    record.dtype = dtype;
    record.shape = shape;
    record.storage = data_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    lay_out_array(record, false, path_, data_at + begin);
    ranges_.push_back({begin, end, contents_.tensors.size()});
    contents_.tensors.push_back(std::move(record));
  }

  void refuse_gaps() {
    std::ranges::sort(ranges_, [](const Range& a, const Range& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t end = 0;
    for (const Range& range : ranges_) {
      if (range.begin != end) {
        fail(Kind::corrupt_container, file_.size() - data_.size() + range.begin,
             "tensor '" + contents_.tensors[range.tensor].name + "' " +
                 (range.begin < end ? "overlaps the one before it" : "leaves a gap before it"));
      }
      end = range.end;
    }
    if (end != data_.size()) {
      fail(Kind::corrupt_container, file_.size() - data_.size() + end,
           std::to_string(data_.size() - end) + " bytes at the end belong to no tensor");
    }
  }

  std::span<const std::byte> file_;
  std::string_view path_;
  std::span<const std::byte> data_;
  CheckpointContents contents_;
  std::vector<Range> ranges_;
  std::unordered_set<std::string> names_;
};

inline CheckpointContents read_safetensors(std::span<const std::byte> file, std::string_view path) {
  return SafetensorsReader(file, path).read();
}

}  // namespace dformer::io
