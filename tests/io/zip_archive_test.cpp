#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "zip_builder.hpp"
#include <dformer/io/zip_archive.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::bytes_of;
using testing::expect_checkpoint_error;
using testing::ZipBuilder;

ZipBuilder two_records() {
  ZipBuilder zip;
  zip.add("a/first", "hello");
  zip.add("a/second", "");
  return zip;
}

std::string read(const std::string& file, std::string_view name) {
  const io::ZipArchive archive(bytes_of(file), "file.zip");
  io::KeptBytes kept;
  const io::ZipRecord* record = archive.find(name);
  return record == nullptr ? "absent" : std::string(io::as_text(archive.read(*record, kept)));
}

CheckpointError open_error(const std::string& file) {
  return expect_checkpoint_error([&] { const io::ZipArchive archive(bytes_of(file), "file.zip"); });
}

TEST(ZipArchive, ReadsStoredRecordsInPlace) {
  const std::string file = two_records().finish();
  EXPECT_EQ(read(file, "a/first"), "hello");
  EXPECT_EQ(read(file, "a/second"), "");
  EXPECT_EQ(read(file, "a/firs"), "absent");
  const io::ZipArchive archive(bytes_of(file), "file.zip");
  io::KeptBytes kept;
  const auto content = archive.read(*archive.find("a/first"), kept);
  EXPECT_EQ(io::as_text(content).data(), file.data() + 30 + 7) << "not a copy";
}

TEST(ZipArchive, ReadsZip64EndRecordsFieldsAndComments) {
  EXPECT_EQ(read(two_records().finish(true), "a/first"), "hello");
  EXPECT_EQ(read(two_records().finish(false, "a comment PK\x05\x06 and more"), "a/first"), "hello");
  ZipBuilder zip;
  zip.add("first", "hello").zip64 = true;
  EXPECT_EQ(read(zip.finish(true), "first"), "hello");
}

TEST(ZipArchive, EveryTruncationIsRefused) {
  const std::string file = two_records().finish(true);
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(open_error(file.substr(0, size)).kind(), Kind::corrupt_container) << size;
  }
}

TEST(ZipArchive, DamageIsFoundByTheChecksum) {
  std::string file = two_records().finish();
  file[38] = 'E';
  const CheckpointError error = expect_checkpoint_error([&] { read(file, "a/first"); });
  EXPECT_EQ(error.kind(), Kind::crc_mismatch);
  EXPECT_EQ(error.offset(), 37u);
  EXPECT_NE(std::string(error.what()).find("'a/first'"), std::string::npos);
}

TEST(ZipArchive, RefusesNamesThatLeadOut) {
  for (const char* name : {"../x", "a/../../x", "/x", "a\\x", "a/..", ""}) {
    ZipBuilder zip;
    zip.add(name, "hello");
    EXPECT_EQ(open_error(zip.finish()).kind(), Kind::corrupt_container) << name;
  }
  ZipBuilder dots;
  dots.add("a/..b/c..", "hello");
  EXPECT_EQ(read(dots.finish(), "a/..b/c.."), "hello");
}

TEST(ZipArchive, RefusesContradictions) {
  const auto expect_refused = [](auto change, std::string_view text) {
    ZipBuilder zip;
    zip.add("a", "hello");
    change(zip, zip.add("b", "world!"));
    const CheckpointError error = open_error(zip.finish());
    EXPECT_EQ(error.kind(), Kind::corrupt_container);
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  };
  using Entry = ZipBuilder::Entry;
  expect_refused([](ZipBuilder&, Entry& b) { b.header = 0; }, "header");
  expect_refused([](ZipBuilder&, Entry& b) { b.header = 1u << 30; }, "too early");
  expect_refused([](ZipBuilder&, Entry& b) { b.local_name = "c"; }, "header");
  expect_refused([](ZipBuilder&, Entry& b) { b.size = 7; }, "two sizes");
  expect_refused([](ZipBuilder&, Entry& b) { b.size = b.packed_size = 1000; }, "table of contents");
  expect_refused([](ZipBuilder&, Entry& b) { b.flags = 1; }, "encrypted");
  expect_refused(
      [](ZipBuilder&, Entry& b) {
        b.zip64 = true;
        b.size = b.packed_size = ~std::uint64_t{0} - 8;
      },
      "table of contents");
  expect_refused(
      [](ZipBuilder&, Entry& b) {
        b.zip64 = true;
        b.header = ~std::uint64_t{0} - 8;
      },
      "too early");
}

TEST(ZipArchive, RefusesOverlapsAndRepeatedNames) {
  ZipBuilder overlap;
  ZipBuilder::Entry& first = overlap.add("a", "hello");
  first.packed_size = first.size = 20;
  overlap.add("b", std::string(100, 'x'));
  EXPECT_NE(std::string(open_error(overlap.finish()).what()).find("overlap"), std::string::npos);

  ZipBuilder repeated;
  repeated.add("a", "hello");
  repeated.add("a", "world");
  EXPECT_NE(std::string(open_error(repeated.finish()).what()).find("two records"), std::string::npos);
}

TEST(ZipArchive, OtherPackingsAreNamed) {
  ZipBuilder zip;
  zip.add("a", "hello").method = 14;  // LZMA
  const CheckpointError error = open_error(zip.finish());
  EXPECT_EQ(error.kind(), Kind::unsupported_compression);
  EXPECT_NE(std::string(error.what()).find("method 14"), std::string::npos);
}

TEST(ZipArchive, ADeflateBombIsRefusedBeforeItIsUnpacked) {
  if (!io::has_inflate) GTEST_SKIP() << "built without zlib";
  ZipBuilder zip;
  ZipBuilder::Entry& bomb = zip.add("a", "x");
  bomb.method = 8;
  bomb.zip64 = true;
  bomb.size = std::uint64_t{1} << 50;
  const std::string file = zip.finish(true);
  EXPECT_EQ(expect_checkpoint_error([&] { read(file, "a"); }).kind(), Kind::corrupt_container);
}

}  // namespace
}  // namespace dformer
