// Small files that ask for much: memory, time, or a terminal's obedience. Each is refused, or what asks for
// it left out.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "pickle_builder.hpp"
#include "safetensors_builder.hpp"
#include "zip_builder.hpp"
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/limits.hpp>
#include <dformer/io/utf8.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using testing::expect_checkpoint_error;
using testing::PickleBuilder;
using testing::TemporaryFile;
using testing::ZipBuilder;

/// A file of torch.save with one storage of four floats, "0".
std::string torch_file(PickleBuilder& pickle) {
  ZipBuilder zip;
  zip.add("a/data.pkl", pickle.end());
  zip.add("a/data/0", std::string(16, '\0'));
  return zip.finish();
}

CheckpointError refusal_of(const std::string& content) {
  const TemporaryFile file(content);
  return expect_checkpoint_error([&] { read_checkpoint(file.path()); });
}

void expect_refused(const std::string& content, const std::string& why) {
  const CheckpointError error = refusal_of(content);
  EXPECT_EQ(error.kind(), Kind::corrupt_container) << error.what();
  EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
}

/// A dict that has the weight "w"; further entries may follow.
PickleBuilder with_weight() {
  PickleBuilder pickle;
  pickle.begin(2).dict().text("w").torch_tensor("0", 4, {4}, {1}).op('s');
  return pickle;
}

TEST(HostileFiles, NamesHaveALimit) {
  for (const std::size_t size : {io::longest_name, io::longest_name + 1}) {
    const std::string name(size, 'n');
    testing::SafetensorsBuilder safetensors;
    safetensors.add(name, {1}, {1});
    PickleBuilder pickle;
    pickle.begin(2).dict().text(name).torch_tensor("0", 4, {4}, {1}).op('s');
    for (const std::string& content : {safetensors.finish(), torch_file(pickle)}) {
      if (size > io::longest_name) {
        expect_refused(content, "513");
      } else {
        const TemporaryFile file(content);
        EXPECT_EQ(read_checkpoint(file.path()).tensors()[0].name, name);
      }
    }
  }
}

TEST(HostileFiles, NamesArePrintableUtf8) {
  for (const char* name : {"w\xff", "w\x1b[2J", "w\xc2\x9b", "w\n"}) {
    PickleBuilder pickle;
    pickle.begin(2).dict().text(name).torch_tensor("0", 4, {4}, {1}).op('s');
    expect_refused(torch_file(pickle), "no printable UTF-8 text");
  }
  testing::SafetensorsBuilder escaped;
  escaped.add("w\\u001b[2J", {1}, {1});
  expect_refused(escaped.finish(), "no printable UTF-8 text");
  testing::SafetensorsBuilder broken;
  broken.add("w\xff", {1}, {1});
  expect_refused(broken.finish(), "a string is no UTF-8");
  testing::SafetensorsBuilder umlaut;
  umlaut.add("gewicht\xc3\xa4", {1}, {1});
  const TemporaryFile file(umlaut.finish());
  EXPECT_EQ(read_checkpoint(file.path()).tensors()[0].name, "gewicht\xc3\xa4");
}

TEST(HostileFiles, Utf8IsWhatItsDefinitionSays) {
  for (const char* text : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xe2\x82\xac!"})
    EXPECT_TRUE(io::is_utf8(text)) << text;
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    EXPECT_FALSE(io::is_utf8(text)) << text;
}

TEST(HostileFiles, BytesAreNotShownOverAndOver) {
  for (const int names : {1, 2}) {  // of 2^30 bytes each, of a storage of 16
    PickleBuilder pickle;
    pickle.begin(2).dict();
    for (int i = 0; i < names; ++i)
      pickle.text("w" + std::to_string(i)).torch_tensor("0", 4, {io::most_repeated}, {0}).op('s');
    const std::string content = torch_file(pickle);
    if (names == 2) {
      expect_refused(content, "over and over");
    } else {
      const TemporaryFile file(content);
      EXPECT_EQ(read_checkpoint(file.path()).tensors()[0].numel(), io::most_repeated);
    }
  }
}

TEST(HostileFiles, PartsOfOneStorageAreOneStorage) {
  constexpr std::int64_t numel = 1 << 18, views = 3000,
                         shown = numel - views;  // 1 MiB, 3000 times, each a bit further on
  PickleBuilder pickle;
  pickle.begin(2).dict();
  for (std::int64_t i = 0; i < views; ++i) {
    pickle.text("w" + std::to_string(i)).global("torch._utils", "_rebuild_tensor_v2").op('(').op('(');
    pickle.text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(numel);
    pickle.op('(').text("v").integer(i).integer(shown).op('t').op('t').op('Q');
    pickle.integer(0).integers({shown}).integers({1}).op(0x89);
    pickle.global("collections", "OrderedDict").op(')').op('R').op('t').op('R').op('s');
  }
  ZipBuilder zip;
  zip.add("a/data.pkl", pickle.end());
  zip.add("a/data/0", std::string(numel * sizeof(float), '\0'));
  expect_refused(zip.finish(), "over and over");
}

TEST(HostileFiles, ErrorsAreSafeToShow) {
  testing::SafetensorsBuilder named;
  named.add("w\\u001b[2J" + std::string(600, 'x'), {1}, {1});
  const std::string error = refusal_of(named.finish()).what();
  EXPECT_EQ(error.find('\x1b'), error.npos);
  EXPECT_EQ(io::without_control_characters("a\x1b[2J\xc2\x9b\n\tb\xc3\xa4"), "a?[2J??\n\tb\xc3\xa4");
}

TEST(HostileFiles, APackedPickleHasALimit) {
  for (const std::uint64_t size : {io::longest_deflated_pickle, io::longest_deflated_pickle + 1}) {
    ZipBuilder zip;
    ZipBuilder::Entry& pickle = zip.add("a/data.pkl", "nothing that unpacks");
    pickle.method = 8;
    pickle.size = size;
    const std::string what = refusal_of(zip.finish()).what();
    EXPECT_EQ(what.find("is packed and has") != std::string::npos, size > io::longest_deflated_pickle)
        << what;
  }
}

TEST(HostileFiles, PythonNamesAndKeysHaveALimit) {
  const std::string dots(1000, '.');
  PickleBuilder named = with_weight();
  expect_refused(torch_file(named.text("x").text("module").text(dots).op(0x93).op('s')), "512");
  PickleBuilder keyed;
  keyed.begin(2).dict().text("w").torch_tensor(dots, 4, {4}, {1}).op('s');
  expect_refused(torch_file(keyed), "key of too many bytes");
}

TEST(HostileFiles, ALongListIsLeftOutAndTheWeightsAreRead) {
  for (const char opener : {']', ')'}) {
    PickleBuilder pickle = with_weight();
    pickle.text("losses");
    if (opener == ']') pickle.op(']');
    pickle.op('(');
    for (int i = 0; i < 200000; ++i) pickle.op('N');
    pickle.op(opener == ']' ? 'e' : 't').op('s').text("epoch").op('K').op(7).op('s');
    const TemporaryFile file(torch_file(pickle));
    const Checkpoint checkpoint = read_checkpoint(file.path());
    EXPECT_NE(checkpoint.find("w"), nullptr);
    EXPECT_EQ(checkpoint.integer("epoch"), 7);
    EXPECT_EQ(std::vector<std::string>(checkpoint.left_out().begin(), checkpoint.left_out().end()),
              std::vector<std::string>{"losses"});
  }
}

TEST(HostileFiles, WhatNoOtherFileCouldHoldIsLeftOut) {
  PickleBuilder pickle = with_weight();
  pickle.text("comment").text("caf\xe9").op('s');         // as Python 2 wrote it
  pickle.text("caf\xe9").op('N').op('s');                 // a key
  pickle.op('N').torch_tensor("0", 4, {4}, {1}).op('s');  // a weight without a name
  const TemporaryFile file(torch_file(pickle));
  const Checkpoint checkpoint = read_checkpoint(file.path());
  EXPECT_EQ(checkpoint.tensors().size(), 1u);
  EXPECT_EQ(std::vector<std::string>(checkpoint.left_out().begin(), checkpoint.left_out().end()),
            (std::vector<std::string>{"comment", "?", "?"}));
}

}  // namespace
}  // namespace dformer
