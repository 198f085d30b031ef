#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "pickle_builder.hpp"
#include <dformer/io/torch_legacy.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::ByteBuilder;
using testing::bytes_of;
using testing::expect_checkpoint_error;
using testing::PickleBuilder;

std::string magic() {
  return PickleBuilder().begin(2).op(0x8a).op(10).raw("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").end();
}
std::string protocol(unsigned version) {
  return PickleBuilder().begin(2).integer(version).end();
}
std::string system_facts() {
  return PickleBuilder().begin(2).dict().end();
}

std::string one_tensor(std::string_view key) {
  return PickleBuilder().begin(2).dict().text("w").torch_tensor(key, 4, {4}, {1}).op('s').end();
}
std::string keys(std::string_view key) {
  return PickleBuilder().begin(2).op(']').text(key).op('a').end();
}
std::string storage(std::uint64_t count) {
  return ByteBuilder().put(count).data + std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);
}

io::CheckpointContents read(const std::string& file) {
  io::KeptBytes kept;
  return io::read_torch_legacy(bytes_of(file), "file.pth", kept);
}
Kind read_error(const std::string& file) {
  return expect_checkpoint_error([&] { read(file); }).kind();
}

TEST(TorchLegacy, ReadsAStream) {
  const std::string file =
      magic() + protocol(1001) + system_facts() + one_tensor("7") + keys("7") + storage(4);
  EXPECT_TRUE(io::looks_like_torch_legacy(bytes_of(file)));
  EXPECT_EQ(read(file).tensors.at(0).to_float32(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(TorchLegacy, EveryTruncationIsRefused) {
  const std::string file =
      magic() + protocol(1001) + system_facts() + one_tensor("7") + keys("7") + storage(4);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_EQ(read_error(file.substr(0, size)), Kind::corrupt_container) << size;
}

TEST(TorchLegacy, ContradictionsAreRefused) {
  const std::string head = magic() + protocol(1001) + system_facts() + one_tensor("7");
  EXPECT_EQ(read_error(magic() + protocol(1002) + system_facts() + one_tensor("7") + keys("7") + storage(4)),
            Kind::corrupt_container);
  EXPECT_EQ(read_error(head + keys("8") + storage(4)), Kind::corrupt_container);
  EXPECT_EQ(read_error(head + keys("7") + storage(3)), Kind::size_mismatch);
  EXPECT_EQ(read_error(head + keys("7") + storage(~std::uint64_t{0} / 4 + 2)), Kind::corrupt_container)
      << "overflows";
  EXPECT_EQ(read_error(head + PickleBuilder().begin(2).op(']').end()), Kind::missing_record);
  EXPECT_EQ(read_error(head + PickleBuilder().begin(2).op('N').end()), Kind::corrupt_container);
}

/// A tensor on the part [1, 3) of a storage of four, as versions before 0.4 could write it.
std::string tensor_on_a_part(std::int64_t offset, std::int64_t size) {
  return PickleBuilder()
      .begin(2)
      .dict()
      .text("w")
      .global("torch._utils", "_rebuild_tensor")
      .op('(')
      .op('(')
      .text("storage")
      .global("torch", "FloatStorage")
      .text("7")
      .text("cpu")
      .integer(4)
      .op('(')
      .text("8")
      .integer(offset)
      .integer(size)
      .op('t')
      .op('t')
      .op('Q')
      .integer(0)
      .integers({2})
      .integers({1})
      .op('t')
      .op('R')
      .op('s')
      .end();
}

TEST(TorchLegacy, StoragesDoNotJustifyRepetition) {
  // Before a storage that has more bytes than the dictionaries have pairs.
  const std::string file = magic() + protocol(1001) + system_facts() +
                           PickleBuilder().begin(2).repeated_pairs(100, 100).end() + keys("7") +
                           std::string(1 << 20, '\0');
  const std::string error = expect_checkpoint_error([&] { read(file); }).what();
  EXPECT_NE(error.find("too many dictionaries"), std::string::npos) << error;
}

TEST(TorchLegacy, ReadsPartsOfStorages) {
  const std::string head = magic() + protocol(1001) + system_facts();
  EXPECT_EQ(read(head + tensor_on_a_part(1, 2) + keys("7") + storage(4)).tensors.at(0).to_float32(),
            (std::vector<float>{2, 3}));
  EXPECT_EQ(read_error(head + tensor_on_a_part(1, 1) + keys("7") + storage(4)), Kind::out_of_bounds);
  EXPECT_EQ(read_error(head + tensor_on_a_part(3, 2) + keys("7") + storage(4)), Kind::out_of_bounds);
  EXPECT_EQ(read_error(head + tensor_on_a_part(-1, 2) + keys("7") + storage(4)), Kind::out_of_bounds);
}

}  // namespace
}  // namespace dformer
