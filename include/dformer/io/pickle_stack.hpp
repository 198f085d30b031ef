#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/pickle_value.hpp>

namespace dformer::io {

/// The working memory of a pickle machine: its stack with marks, and its memo. No opcode can reach below a
/// mark or recall what was never set.
class PickleStack {
 protected:
  using Kind = CheckpointError::Kind;
  using Items = std::vector<PickleValue>;

  explicit PickleStack(ByteReader& reader) : reader_(reader) {}

  /// Reads the next opcode; errors are reported at its place.
  std::uint8_t next_opcode() {
    opcode_at_ = reader_.position();
    ++opcodes_;
    return reader_.read<std::uint8_t>();
  }

  [[noreturn]] void fail(Kind kind, std::string_view what) const {
    reader_.fail(kind, "pickle: " + std::string(what), opcode_at_);
  }

  void push(const PickleValue& value) { stack_.push_back(value); }

  PickleValue& top() {
    if (stack_.size() <= floor()) fail(Kind::corrupt_container, "an opcode finds its stack empty");
    return stack_.back();
  }
  PickleValue pop() {
    const PickleValue value = top();
    stack_.pop_back();
    return value;
  }
  /// What was pushed since the last mark.
  Items pop_to_mark() {
    if (marks_.empty()) fail(Kind::corrupt_container, "an opcode finds no mark on the stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Items items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }
  Items pop_count(std::size_t count) {
    if (stack_.size() - floor() < count) fail(Kind::corrupt_container, "an opcode finds its stack empty");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    Items items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
  }

  void memoize(std::uint64_t slot) {
    // A pickler numbers what it has written, so a larger number is an attack on memory.
    if (slot > opcodes_)
      fail(Kind::corrupt_container, "memo number " + std::to_string(slot) + " is out of sequence");
    if (slot >= memo_.size()) memo_.resize(static_cast<std::size_t>(slot) + 1);
    memo_[static_cast<std::size_t>(slot)] = {top(), true};
  }
  void recall(std::uint64_t slot) {
    if (slot >= memo_.size() || !memo_[static_cast<std::size_t>(slot)].set) {
      fail(Kind::corrupt_container, "memo number " + std::to_string(slot) + " was never set");
    }
    push(memo_[static_cast<std::size_t>(slot)].value);
  }
  void memoize_next() { memoize(memo_.size()); }

  void push_mark() { marks_.push_back(stack_.size()); }
  /// Drops the top value, or the mark if that is on top.
  void drop() {
    if (!marks_.empty() && stack_.size() == floor()) {
      marks_.pop_back();
    } else {
      pop();
    }
  }

  std::uint64_t opcode_file_offset() const { return reader_.file_offset(opcode_at_); }

  ByteReader& reader_;

 private:
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  struct MemoSlot {
    PickleValue value;
    bool set = false;
  };

  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<MemoSlot> memo_;
  std::size_t opcodes_ = 0;
  std::size_t opcode_at_ = 0;
};

}  // namespace dformer::io
