#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/pickle_policy.hpp>
#include <dformer/io/pickle_stack.hpp>
#include <dformer/io/pickle_value.hpp>

namespace dformer::io {

/// Runs the stack machine that a pickle is a program for, and builds the tree of what it says. It accepts the
/// opcodes of protocols 2 to 5 that hold data; it has no way to import or call anything (see
/// pickle_policy.hpp).
///
/// Memory stays within a fixed multiple of the pickle's length: lengths are checked against the bytes that
/// are there before they are used, and a memo number may not exceed the count of opcodes so far.
class PickleMachine : PickleStack {
 public:
  /// The machine stops behind the pickle's STOP, so that `reader` then stands on what follows.
  explicit PickleMachine(ByteReader& reader) : PickleStack(reader) {}

  /// Throws: CheckpointError(corrupt_container) or (unsafe_pickle).
  Pickle run() {
    for (;;) {
      const std::uint8_t opcode = next_opcode();
      if (opcode == '.') break;
      if (!step_constant(opcode) && !step_container(opcode) && !step_object(opcode)) {
        fail(Kind::corrupt_container,
             "byte " + std::to_string(opcode) + " is no opcode of pickle protocols 2 to 5");
      }
    }
    result_.root_ = pop();
    return std::move(result_);
  }

 private:
  using ValueKind = PickleValue::Kind;

  static PickleValue integer(std::int64_t value, ValueKind kind = ValueKind::integer) {
    PickleValue result;
    result.kind = kind;
    result.integer = value;
    return result;
  }
  static PickleValue view(ValueKind kind, std::span<const std::byte> data) {
    PickleValue result;
    result.kind = kind;
    result.data = data;
    return result;
  }
  PickleValue container(ValueKind kind, Items items = {}) {
    PickleValue result;
    result.kind = kind;
    result.index = result_.containers_.size();
    result_.containers_.push_back(std::move(items));
    return result;
  }
  PickleValue object(const PickleValue& callable, const PickleValue& arguments) {
    PickleValue result;
    result.kind = ValueKind::object;
    result.index = result_.objects_.size();
    result_.objects_.push_back({callable, arguments, {}, opcode_file_offset()});
    return result;
  }

  /// An integer of `bytes` little-endian two's complement bytes.
  PickleValue long_integer(std::span<const std::byte> bytes) const {
    if (bytes.size() > 8) return view(ValueKind::big_integer, bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<std::uint64_t>(bytes[i]);
    const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{};
    if (negative && bytes.size() < 8) value |= ~std::uint64_t{0} << (8 * bytes.size());
    return integer(static_cast<std::int64_t>(value));
  }

  double big_endian_double() {
    std::uint64_t bits = 0;
    for (std::byte byte : reader_.take(8)) bits = (bits << 8) | static_cast<std::uint64_t>(byte);
    return std::bit_cast<double>(bits);
  }

  // Each group of opcodes returns whether it knows the opcode.

  bool step_constant(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80: {  // PROTO
        const auto protocol = reader_.read<std::uint8_t>();
        if (protocol < 2 || protocol > 5) {
          fail(Kind::corrupt_container,
               "protocol " + std::to_string(protocol) + " is unknown; 2 to 5 are supported");
        }
        return true;
      }
      case 0x95: {  // FRAME: a hint for buffering
        const auto length = reader_.read<std::uint64_t>();
        if (length > reader_.remaining())
          fail(Kind::corrupt_container, "the file ends inside the pickle; it is cut off");
        return true;
      }
      case 'N':
        push({});
        return true;
      case 0x88:
        push(integer(1, ValueKind::boolean));
        return true;
      case 0x89:
        push(integer(0, ValueKind::boolean));
        return true;
      case 'K':
        push(integer(reader_.read<std::uint8_t>()));
        return true;
      case 'M':
        push(integer(reader_.read<std::uint16_t>()));
        return true;
      case 'J':
        push(integer(static_cast<std::int32_t>(reader_.read<std::uint32_t>())));
        return true;
      case 0x8a:
        push(long_integer(reader_.take(reader_.read<std::uint8_t>())));
        return true;
      case 0x8b:
        push(long_integer(reader_.take(reader_.read<std::uint32_t>())));
        return true;
      case 'G': {
        PickleValue value;
        value.kind = ValueKind::real;
        value.real = big_endian_double();
        push(value);
        return true;
      }
      case 'X':
        push(view(ValueKind::text, reader_.take(reader_.read<std::uint32_t>())));
        return true;
      case 0x8c:
        push(view(ValueKind::text, reader_.take(reader_.read<std::uint8_t>())));
        return true;
      case 0x8d:
        push(view(ValueKind::text, reader_.take(reader_.read<std::uint64_t>())));
        return true;
      case 'T':
        push(view(ValueKind::text, reader_.take(reader_.read<std::uint32_t>())));
        return true;
      case 'U':
        push(view(ValueKind::text, reader_.take(reader_.read<std::uint8_t>())));
        return true;
      case 'B':
        push(view(ValueKind::bytes, reader_.take(reader_.read<std::uint32_t>())));
        return true;
      case 'C':
        push(view(ValueKind::bytes, reader_.take(reader_.read<std::uint8_t>())));
        return true;
      case 0x8e:  // BINBYTES8
      case 0x96:  // BYTEARRAY8
        push(view(ValueKind::bytes, reader_.take(reader_.read<std::uint64_t>())));
        return true;
      default:
        return false;
    }
  }

  bool step_container(std::uint8_t opcode) {
    switch (opcode) {
      case '(':
        push_mark();
        return true;
      case '0':
        drop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        push(PickleValue(top()));
        return true;
      case ']':
        push(container(ValueKind::list));
        return true;
      case '}':
        push(container(ValueKind::dict));
        return true;
      case ')':
        push(container(ValueKind::tuple));
        return true;
      case 0x8f:
        push(container(ValueKind::set));
        return true;
      case 't':
        push(container(ValueKind::tuple, pop_to_mark()));
        return true;
      case 'l':
        push(container(ValueKind::list, pop_to_mark()));
        return true;
      case 'd':
        push(dict_of(pop_to_mark()));
        return true;
      case 0x91:
        push(container(ValueKind::set, pop_to_mark()));
        return true;
      case 0x85:
        push(container(ValueKind::tuple, pop_count(1)));
        return true;
      case 0x86:
        push(container(ValueKind::tuple, pop_count(2)));
        return true;
      case 0x87:
        push(container(ValueKind::tuple, pop_count(3)));
        return true;
      case 'a':
        append(ValueKind::list, pop_count(1));
        return true;
      case 'e':
        append(ValueKind::list, pop_to_mark());
        return true;
      case 0x90:
        append(ValueKind::set, pop_to_mark());
        return true;
      case 's':
        append(ValueKind::dict, pop_count(2));
        return true;
      case 'u':
        append(ValueKind::dict, pop_to_mark());
        return true;
      case 'q':
        memoize(reader_.read<std::uint8_t>());
        return true;
      case 'r':
        memoize(reader_.read<std::uint32_t>());
        return true;
      case 0x94:
        memoize_next();
        return true;
      case 'h':
        recall(reader_.read<std::uint8_t>());
        return true;
      case 'j':
        recall(reader_.read<std::uint32_t>());
        return true;
      default:
        return false;
    }
  }

  bool step_object(std::uint8_t opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = reader_.line();
        push_global({module, reader_.line()});
        return true;
      }
      case 0x93: {  // STACK_GLOBAL
        const Items names = pop_count(2);
        if (!names[0].is(ValueKind::text) || !names[1].is(ValueKind::text)) {
          fail(Kind::corrupt_container, "a Python name is not text");
        }
        push_global({names[0].text(), names[1].text()});
        return true;
      }
      case 'R':     // REDUCE
      case 0x81: {  // NEWOBJ
        const Items call = pop_count(2);
        push_call(call[0], call[1]);
        return true;
      }
      case 0x92: {  // NEWOBJ_EX: the keyword arguments have no meaning for any type known here
        const Items call = pop_count(3);
        push_call(call[0], call[1]);
        return true;
      }
      case 'b': {  // BUILD
        const PickleValue state = pop();
        const PickleValue& target = top();
        // An OrderedDict may carry attributes (`_metadata` of a state dict); they are of no use here.
        if (target.is(ValueKind::object))
          result_.objects_[target.index].state = state;
        else if (!target.is(ValueKind::dict))
          fail(Kind::corrupt_container, "state is set on something that has none");
        return true;
      }
      case 'Q': {  // BINPERSID
        const PickleValue id = container(ValueKind::persistent_id, pop_count(1));
        result_.persistent_ids_.push_back(id);
        push(id);
        return true;
      }
      case 'i':   // INST
      case 'o':   // OBJ
      case 0x82:  // EXT1
      case 0x83:  // EXT2
      case 0x84:  // EXT4
        fail(Kind::unsafe_pickle,
             "an opcode that makes Python objects of protocol 0 or of a registry; no checkpoint "
             "writer uses it, and nothing was run");
      default:
        return false;
    }
  }

  PickleValue dict_of(Items items) {
    if (items.size() % 2 != 0) fail(Kind::corrupt_container, "a dictionary has a key without a value");
    return container(ValueKind::dict, std::move(items));
  }

  /// Adds to the container that is then on top. Subclasses of Python's containers are inert: what they hold
  /// is dropped.
  void append(ValueKind kind, const Items& items) {
    const PickleValue& target = top();
    if (kind == ValueKind::dict && items.size() % 2 != 0) {
      fail(Kind::corrupt_container, "a dictionary has a key without a value");
    }
    if (target.is(kind)) {
      Items& all = result_.containers_[target.index];
      all.insert(all.end(), items.begin(), items.end());
    } else if (!target.is(ValueKind::object)) {
      fail(Kind::corrupt_container, "items are added to something that holds none");
    }
  }

  void push_global(const PickleGlobal& global) {
    if (global.module.size() + global.name.size() > longest_name)
      fail(Kind::corrupt_container, "a Python name has more than " + std::to_string(longest_name) + " bytes");
    if (runs_code(global)) {
      fail(Kind::unsafe_pickle,
           "the file asks Python to run '" + global.full_name() +
               "'; nothing was run. This is no honest checkpoint: delete it, and do not load it "
               "with torch.load either");
    }
    PickleValue value;
    value.kind = ValueKind::global;
    value.index = result_.globals_.size();
    result_.globals_.push_back(global);
    push(value);
  }

  void push_call(const PickleValue& callable, const PickleValue& arguments) {
    const bool callable_kind = callable.is(ValueKind::global) || callable.is(ValueKind::object);
    if (!callable_kind || !arguments.is(ValueKind::tuple)) {
      fail(Kind::corrupt_container,
           "a call of something that is no Python name, or without an argument tuple");
    }
    if (callable.is(ValueKind::global)) {
      const PickleGlobal& global = result_.globals_[callable.index];
      const bool ordered = global.is("collections", "OrderedDict");
      if (ordered || global.is("collections", "defaultdict") || global.is("builtins", "dict")) {
        push(container(ValueKind::dict, ordered ? pairs(arguments) : Items{}));
        return;
      }
    }
    push(object(callable, arguments));
  }

  /// Python 2 gives an OrderedDict its content as a list of [key, value] lists.
  Items pairs(const PickleValue& arguments) {
    Items entries;
    const auto given = result_.items(arguments);
    if (given.empty() || !given[0].is(ValueKind::list)) return entries;
    pairs_ += result_.items(given[0]).size();
    if (pairs_ > reader_.position())
      fail(Kind::corrupt_container, "the same content is given to too many dictionaries");
    for (const PickleValue& pair : result_.items(given[0])) {
      const bool sequence = pair.is(ValueKind::list) || pair.is(ValueKind::tuple);
      if (!sequence || result_.items(pair).size() != 2)
        fail(Kind::corrupt_container, "an OrderedDict of no pairs");
      entries.push_back(result_.items(pair)[0]);
      entries.push_back(result_.items(pair)[1]);
    }
    return entries;
  }

  Pickle result_;
  std::size_t pairs_ = 0;  ///< copied so far; more than there were bytes would be an attack on memory
};

/// Reads one pickle; `reader` then stands behind it.
inline Pickle parse_pickle(ByteReader& reader) {
  return PickleMachine(reader).run();
}

}  // namespace dformer::io
