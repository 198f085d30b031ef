#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "pickle_builder.hpp"
#include <dformer/io/jittor_pickle.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::bytes_of;
using testing::expect_checkpoint_error;
using testing::PickleBuilder;

/// {"w": array} with the given dtype code, byte order, order of axes, extents and content.
std::string one_array(std::string_view code, std::string_view order, bool column_major,
                      const std::vector<std::int64_t>& shape, std::string_view content) {
  PickleBuilder builder;
  builder.begin(4).dict().text("w");
  builder.global("numpy.core.multiarray", "_reconstruct")
      .op('(')
      .global("numpy", "ndarray")
      .integers({0})
      .op('C')
      .op(1)
      .raw("b")
      .op('t')
      .op('R');
  builder.op('(').op('K').op(1).integers(shape);
  builder.global("numpy", "dtype").op('(').text(code).op(0x89).op(0x88).op('t').op('R');
  builder.op('(')
      .op('K')
      .op(3)
      .text(order)
      .op('N')
      .op('N')
      .op('N')
      .integer(-1)
      .integer(-1)
      .op('K')
      .op(0)
      .op('t')
      .op('b');
  builder.op(column_major ? 0x88 : 0x89)
      .op('B')
      .raw(std::string{static_cast<char>(content.size()), 0, 0, 0})
      .raw(content);
  return builder.op('t').op('b').op('s').end();
}

io::CheckpointContents read(const std::string& file) {
  io::KeptBytes kept;
  return io::read_jittor_pickle(bytes_of(file), "file.pkl", kept);
}
Kind read_error(const std::string& file) {
  return expect_checkpoint_error([&] { read(file); }).kind();
}

TEST(JittorPickle, ReadsBothByteOrdersAndBothOrdersOfAxes) {
  EXPECT_EQ(read(one_array("i2", "<", false, {2, 2}, std::string_view("\1\0\2\0\3\0\4\0", 8)))
                .tensors.at(0)
                .to_int64(),
            (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(read(one_array("i2", ">", false, {2, 2}, std::string_view("\0\1\0\2\0\3\0\4", 8)))
                .tensors.at(0)
                .to_int64(),
            (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(read(one_array("i2", "<", true, {2, 2}, std::string_view("\1\0\2\0\3\0\4\0", 8)))
                .tensors.at(0)
                .to_int64(),
            (std::vector<std::int64_t>{1, 3, 2, 4}));
  EXPECT_EQ(read(one_array("b1", "|", false, {2}, std::string_view("\1\0", 2))).tensors.at(0).dtype,
            DType::boolean);
}

TEST(JittorPickle, BadArraysAreRefused) {
  const std::string_view eight("\1\0\2\0\3\0\4\0", 8);
  EXPECT_EQ(read_error(one_array("i2", "<", false, {3}, eight)), Kind::size_mismatch);
  EXPECT_EQ(read_error(one_array("i2", "<", false, {-4}, eight)), Kind::invalid_shape);
  EXPECT_EQ(read_error(one_array("i2", "<", false, {std::int64_t{1} << 62, std::int64_t{1} << 62}, eight)),
            Kind::out_of_bounds);
  EXPECT_EQ(read_error(one_array("O8", "|", false, {1}, eight)), Kind::unsupported_dtype);
  EXPECT_EQ(read_error(one_array("i2", "<", false, {1, 1, 1, 1, 1, 1, 4}, eight)), Kind::invalid_shape);
}

TEST(JittorPickle, EveryTruncationIsRefused) {
  const std::string whole = one_array("i2", "<", false, {2}, std::string_view("\1\0\2\0", 4));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(read_error(whole.substr(0, size)), Kind::corrupt_container) << size;
  EXPECT_EQ(read_error(whole + "rest"), Kind::corrupt_container);
}

TEST(JittorPickle, TorchStoragesHaveNoPlaceInABarePickle) {
  EXPECT_EQ(
      read_error(PickleBuilder().begin(2).dict().text("w").torch_tensor("0", 4, {4}, {1}).op('s').end()),
      Kind::missing_record);
}

TEST(JittorPickle, ADictionaryThatRefersToItselfIsWalkedOnce) {
  // d = {"w": array}; d["d"] = d
  const std::string array = one_array("i2", "<", false, {1}, std::string_view("\1\0", 2));
  std::string file = array.substr(0, 3) + "q";
  file += '\0';
  file += array.substr(3, array.size() - 4);
  file += PickleBuilder().text("d").op('h').op(0).op('s').end();
  EXPECT_EQ(read(file).tensors.size(), 1u);
}

TEST(JittorPickle, TheTreeHasAllButTheWeightsAndNamesWhatItLacks) {
  const std::string array = one_array("i2", "<", false, {1}, std::string_view("\1\0", 2));
  PickleBuilder more;
  more.text("set").op(0x8f).op('s');
  more.text("list").op(']').op('(').op('K').op(7).op('N').op(0x8f).op('e').op('s');
  more.op('K').op(3).text("by number").op('s');
  const io::CheckpointContents contents = read(array.substr(0, array.size() - 1) + more.end());
  EXPECT_EQ(contents.tensors.size(), 1u);
  ASSERT_EQ(contents.tree.entries.size(), 3u) << "no weight is in it";
  EXPECT_EQ(contents.tree.entries[0].key, TorchKey("set"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(contents.tree.entries[0].value.content()));
  const auto& list = std::get<TorchList>(contents.tree.entries[1].value.content());
  EXPECT_EQ(list.items.size(), 3u);
  EXPECT_EQ(std::get<std::int64_t>(list.items[0].content()), 7);
  EXPECT_EQ(contents.tree.entries[2].key, TorchKey(std::int64_t{3}));
  EXPECT_EQ(contents.left_out, (std::vector<std::string>{"set", "list.2"}));
}

TEST(JittorPickle, SharedContentDoesNotMultiply) {
  // Twelve levels of lists, each holding the one below it sixteen times: 16^12 leaves if it were expanded.
  // The weights beside it are read; of the rest, what is too much is left out.
  PickleBuilder builder;
  builder.begin(2).op('N').op('q').op(0).op('0');
  for (unsigned level = 1; level <= 12; ++level) {
    builder.op(']').op('(');
    for (int i = 0; i < 16; ++i) builder.op('h').op(level - 1);
    builder.op('e').op('q').op(level).op('0');
  }
  const std::string array = one_array("i2", "<", false, {1}, std::string_view("\1\0", 2));
  const std::string file = builder.end();
  const std::string whole = file.substr(0, file.size() - 1) + array.substr(2, array.size() - 3) +
                            PickleBuilder().text("x").op('h').op(12).op('s').end();
  const io::CheckpointContents contents = read(whole);
  EXPECT_EQ(contents.tensors.size(), 1u);
  EXPECT_FALSE(contents.left_out.empty());
  EXPECT_LT(contents.left_out.size(), std::size_t{1} << 17);
}

TEST(JittorPickle, EntriesThatArePassedOverCountToo) {
  // A dictionary of 2000 entries without a name, in a list 2000 times: 4 million looks at an entry if all
  // were taken.
  PickleBuilder builder;
  builder.begin(2).dict().op('(');
  for (int i = 0; i < 2000; ++i) builder.op('N').op('N');
  builder.op('u').op('q').op(0).op('0').op(']').op('(');
  for (int i = 0; i < 2000; ++i) builder.op('h').op(0);
  builder.op('e').op('q').op(1).op('0');
  const std::string array = one_array("i2", "<", false, {1}, std::string_view("\1\0", 2));
  const std::string file = builder.end();
  const std::string whole = file.substr(0, file.size() - 1) + array.substr(2, array.size() - 3) +
                            PickleBuilder().text("x").op('h').op(1).op('s').end();
  EXPECT_EQ(read_error(whole), Kind::corrupt_container);
}

}  // namespace
}  // namespace dformer
