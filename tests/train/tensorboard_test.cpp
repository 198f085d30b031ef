#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <support/python.hpp>

#include <dformer/train/tensorboard.hpp>

namespace dformer {
namespace {

class TensorBoard : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "dformer_tensorboard_test" / "events";
    std::filesystem::remove_all(folder_.parent_path());
  }
  void TearDown() override { std::filesystem::remove_all(folder_.parent_path()); }

  static std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::filesystem::path folder_;
};

std::string hex(const std::string& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    (text += digits[code >> 4]) += digits[code & 15u];
  }
  return text;
}

/// The messages of an event file, whose framing is checked on the way.
std::vector<std::string> messages(const std::string& bytes) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof length);
    const std::string message = bytes.substr(at + 12, length);
    EXPECT_EQ(bytes.substr(at, length + 16), detail::event_record(message));
    result.push_back(message);
    at += length + 16;
  }
  return result;
}

// What TensorBoard's own writer makes of the same events.
TEST_F(TensorBoard, RecordsAreThoseOfItsOwnWriter) {
  constexpr double time = 1700000000.25;
  using detail::ProtoMessage;
  const ProtoMessage value = ProtoMessage().bytes(1, "train/loss").number(2, 0.75f);
  const ProtoMessage scalar =
      ProtoMessage().number(1, time).varint(2, 300).bytes(5, ProtoMessage().bytes(1, value.text()).text());
  EXPECT_EQ(
      hex(detail::event_record(scalar.text())),
      "2100000000000000017becf60900001040fc54d94110ac022a130a110a0a747261696e2f6c6f7373150000403f738999e3");
  const ProtoMessage start =
      ProtoMessage().number(1, time).varint(2, 300).bytes(7, ProtoMessage().varint(1, 1).text());
  EXPECT_EQ(hex(detail::event_record(start.text())),
            "100000000000000095fbfe180900001040fc54d94110ac023a0208016b3b88f1");
  const ProtoMessage version = ProtoMessage().number(1, time).bytes(3, "brain.Event:2");
  EXPECT_EQ(hex(detail::event_record(version.text())),
            "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9");
}

TEST_F(TensorBoard, EveryNumberIsInTheFileAtOnce) {
  TensorBoardWriter board(folder_);
  EXPECT_EQ(messages(contents(board.path())).size(), 1u);
  board.scalar("train/loss", 0.75, 300);
  const std::vector<std::string> events = messages(contents(board.path()));
  ASSERT_EQ(events.size(), 2u);
  // After the wall time, nine bytes.
  EXPECT_EQ(hex(events[0].substr(9)), "1a0d627261696e2e4576656e743a32");
  EXPECT_EQ(hex(events[1].substr(9)), "10ac022a130a110a0a747261696e2f6c6f7373150000403f");
  board.scalar("train/loss", 0.5, 301);
  EXPECT_EQ(messages(contents(board.path())).size(), 3u);
}

TEST_F(TensorBoard, AResumedRunHasAFileOfItsOwnThatTakesOver) {
  const TensorBoardWriter first(folder_);
  const std::string before = contents(first.path());
  const TensorBoardWriter second(folder_, 300);
  EXPECT_LT(first.path(), second.path());
  EXPECT_EQ(contents(first.path()), before);
  const std::vector<std::string> events = messages(contents(second.path()));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(hex(events[1].substr(9)), "10ac023a020801");
}

TEST_F(TensorBoard, IsReadByTheRealOne) {
  if (!testing::python_has("tensorboard")) {
    GTEST_SKIP() << "python3 with tensorboard is missing, so TensorBoard itself was not asked";
  }
  {
    TensorBoardWriter board(folder_);
    for (int step = 0; step < 4; ++step) board.scalar("train/loss", 4 - step, step);
    board.scalar("eval/mIoU", 0.25, 3);
  }
  TensorBoardWriter board(folder_, 2);
  board.scalar("train/loss", 0.5, 2);
  const testing::Printed printed = testing::run_command(
      "python3 '" DFORMER_TEST_SCRIPTS "/tensorboard_reads.py' '" + folder_.string() + "'");
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(printed.text, "train/loss 0 4.0\ntrain/loss 1 3.0\ntrain/loss 2 0.5\n");
}

TEST_F(TensorBoard, AFolderThatCannotBeMadeIsAnError) {
  std::filesystem::create_directories(folder_.parent_path());
  std::ofstream(folder_) << "a file";
  EXPECT_THROW(TensorBoardWriter{folder_}, FileError);
  EXPECT_THROW(TensorBoardWriter{folder_ / "events"}, FileError);
}

}  // namespace
}  // namespace dformer
