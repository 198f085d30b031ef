#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <dformer/core/error.hpp>
#include <dformer/io/little_endian.hpp>

namespace dformer::io {

/// Writes the opcodes of a pickle: values first, then what is made of them, as for a stack. Only opcodes that
/// PyTorch's `weights_only` unpickler knows are used where protocol 2 is asked for.
class PickleWriter {
 public:
  explicit PickleWriter(std::uint8_t protocol) {
    opcode(0x80);
    put(protocol);
  }

  void none() { opcode('N'); }
  void boolean(bool value) { opcode(value ? 0x88 : 0x89); }
  void integer(std::int64_t value) {
    if (value >= 0 && value <= 0xff) {
      opcode('K');
      put(static_cast<std::uint8_t>(value));
    } else if (value >= 0 && value <= 0xffff) {
      opcode('M');
      put(static_cast<std::uint16_t>(value));
    } else if (value >= std::numeric_limits<std::int32_t>::min() &&
               value <= std::numeric_limits<std::int32_t>::max()) {
      opcode('J');
      put(static_cast<std::uint32_t>(value));
    } else {
      opcode(0x8a);
      put(std::uint8_t{8});
      put(static_cast<std::uint64_t>(value));
    }
  }
  void real(double value) {
    opcode('G');
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>((bits >> shift) & 0xffu);
  }
  /// UTF-8.
  void text(std::string_view value) {
    if (value.size() > std::numeric_limits<std::uint32_t>::max())
      throw_argument_error("[PickleWriter] a text of more than 4 GiB");
    opcode('X');
    put(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  /// Begins a value of `size` bytes, which must follow: by raw(), or written behind what was taken so far.
  /// Protocol 4.
  void begin_bytes(std::uint64_t size) {
    if (size <= std::numeric_limits<std::uint32_t>::max()) {
      opcode('B');
      put(static_cast<std::uint32_t>(size));
    } else {
      opcode(0x8e);
      put(size);
    }
  }

  void raw(std::string_view bytes) { out_ += bytes; }

  /// A Python name. Its second use refers to the first.
  void global(std::string_view module, std::string_view name) {
    const auto [entry, is_new] = names_.try_emplace(std::string(module) + '\n' + std::string(name) + '\n',
                                                    static_cast<std::uint8_t>(names_.size()));
    if (is_new) {
      if (names_.size() > 0xffu) throw_argument_error("[PickleWriter] more than 255 Python names");
      opcode('c');
      out_ += entry->first;
    }
    opcode(is_new ? 'q' : 'h');
    put(entry->second);
  }

  void empty_list() { opcode(']'); }
  void empty_dict() { opcode('}'); }
  void empty_tuple() { opcode(')'); }
  void mark() { opcode('('); }
  void appends() { opcode('e'); }    ///< the values since the mark, to the list before it
  void set_items() { opcode('u'); }  ///< keys and values since the mark, to the dictionary before it
  void tuple() { opcode('t'); }      ///< of the values since the mark
  void reduce() { opcode('R'); }     ///< calls a name with a tuple
  void build() { opcode('b'); }      ///< sets the state of the object before it
  void persistent_id() { opcode('Q'); }
  void stop() { opcode('.'); }

  /// What was written since the last call.
  std::string take() { return std::exchange(out_, {}); }

 private:
  void opcode(unsigned code) { out_ += static_cast<char>(code); }

  template <std::unsigned_integral Integer>
  void put(Integer value) {
    append_little_endian(out_, value);
  }

  std::string out_;
  std::map<std::string, std::uint8_t> names_;
};

}  // namespace dformer::io
