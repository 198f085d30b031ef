#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_builder.hpp"

namespace dformer::testing {

/// Writes pickles opcode by opcode.
class PickleBuilder {
 public:
  PickleBuilder& begin(unsigned protocol) { return op(0x80).op(protocol); }
  PickleBuilder& op(unsigned code) {
    bytes_.byte(code);
    return *this;
  }
  PickleBuilder& raw(std::string_view content) {
    bytes_.text(content);
    return *this;
  }
  PickleBuilder& text(std::string_view content) {
    bytes_.byte('X').put(static_cast<std::uint32_t>(content.size())).text(content);
    return *this;
  }
  PickleBuilder& integer(std::int64_t value) {
    bytes_.byte(0x8a).byte(8).put(static_cast<std::uint64_t>(value));
    return *this;
  }
  PickleBuilder& global(std::string_view module, std::string_view name) {
    bytes_.byte('c').text(module).text("\n").text(name).text("\n");
    return *this;
  }
  PickleBuilder& dict() { return op('}'); }
  PickleBuilder& integers(const std::vector<std::int64_t>& values) {
    op('(');
    for (const std::int64_t value : values) integer(value);
    return op('t');
  }
  /// A float32 tensor as torch.save writes it.
  PickleBuilder& torch_tensor(std::string_view key, std::int64_t storage_numel,
                              const std::vector<std::int64_t>& shape,
                              const std::vector<std::int64_t>& strides, std::int64_t offset = 0) {
    global("torch._utils", "_rebuild_tensor_v2").op('(');
    op('(')
        .text("storage")
        .global("torch", "FloatStorage")
        .text(key)
        .text("cpu")
        .integer(storage_numel)
        .op('t')
        .op('Q');
    integer(offset).integers(shape).integers(strides);
    op(0x89).global("collections", "OrderedDict").op(')').op('R');
    return op('t').op('R');
  }
  /// One list of so many pairs, made into an OrderedDict over and over with five bytes each time: much of
  /// little.
  PickleBuilder& repeated_pairs(int pairs, int times) {
    op(']').op('(');
    for (int i = 0; i < pairs; ++i) op('N').op('N').op(0x86);
    op('e').op(0x85).op('q').op(0).op('0');
    global("collections", "OrderedDict").op('q').op(1).op('0').op('(');
    for (int i = 0; i < times; ++i) op('h').op(1).op('h').op(0).op('R');
    return op('t');
  }
  std::string end() { return op('.').bytes_.data; }

 private:
  ByteBuilder bytes_;
};

}  // namespace dformer::testing
