#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include "pickle_builder.hpp"
#include <dformer/io/pickle.hpp>

namespace dformer {
namespace {

using Kind = CheckpointError::Kind;
using io::PickleValue;
using testing::ByteBuilder;
using testing::bytes_of;
using testing::expect_checkpoint_error;
using testing::PickleBuilder;

/// A pickle together with the bytes that it views.
struct Parsed {
  explicit Parsed(std::string content)
      : bytes(std::move(content)),
        reader(bytes_of(bytes), "file.pkl", 1000),
        pickle(io::parse_pickle(reader)) {}

  const PickleValue& root() const { return pickle.root(); }
  const PickleValue& item(std::size_t i) const { return pickle.items(root())[i]; }

  std::string bytes;
  io::ByteReader reader;
  io::Pickle pickle;
};

CheckpointError parse_error(const std::string& content) {
  return expect_checkpoint_error([&] { const Parsed parsed(content); });
}

void expect_corrupt(const std::string& content, std::string_view text) {
  const CheckpointError error = parse_error(content);
  EXPECT_EQ(error.kind(), Kind::corrupt_container);
  EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
}

TEST(Pickle, ReadsConstants) {
  const Parsed parsed(PickleBuilder()
                          .begin(4)
                          .op('(')
                          .op('N')
                          .op(0x88)
                          .op(0x89)
                          .op('K')
                          .op(200)
                          .op('M')
                          .raw("\x01\x02")
                          .op('J')
                          .raw("\xfe\xff\xff\xff")
                          .op('G')
                          .raw(std::string("\xbf\xf8\0\0\0\0\0\0", 8))
                          .text("h\xc3\xa9")
                          .op('C')
                          .op(2)
                          .raw("ab")
                          .op('t')
                          .end());
  ASSERT_TRUE(parsed.root().is(PickleValue::Kind::tuple));
  EXPECT_TRUE(parsed.item(0).is(PickleValue::Kind::none));
  EXPECT_TRUE(parsed.item(1).is(PickleValue::Kind::boolean));
  EXPECT_EQ(parsed.item(1).integer, 1);
  EXPECT_EQ(parsed.item(2).integer, 0);
  EXPECT_EQ(parsed.item(3).integer, 200);
  EXPECT_EQ(parsed.item(4).integer, 0x201);
  EXPECT_EQ(parsed.item(5).integer, -2);
  EXPECT_EQ(parsed.item(6).real, -1.5);
  EXPECT_EQ(parsed.item(7).text(), "h\xc3\xa9");
  EXPECT_TRUE(parsed.item(8).is(PickleValue::Kind::bytes));
}

TEST(Pickle, ReadsIntegersOfEveryLength) {
  const auto long_integer = [](std::string_view bytes) {
    return Parsed(PickleBuilder().begin(2).op(0x8a).op(static_cast<unsigned>(bytes.size())).raw(bytes).end())
        .root();
  };
  EXPECT_EQ(long_integer("").integer, 0);
  EXPECT_EQ(long_integer("\x7f").integer, 127);
  EXPECT_EQ(long_integer("\xff").integer, -1);
  EXPECT_EQ(long_integer(std::string_view("\x00\x80", 2)).integer, -32768);
  EXPECT_EQ(long_integer(std::string_view("\0\0\0\0\0\0\0\x80", 8)).integer, INT64_MIN);
  EXPECT_TRUE(long_integer("123456789").is(PickleValue::Kind::big_integer));
}

TEST(Pickle, ReadsContainersTheMemoAndDuplicates) {
  // [(7,), {"k": same tuple}, {1}], then POP and POP_MARK of things never used
  const Parsed parsed(PickleBuilder()
                          .begin(4)
                          .op(']')
                          .op(0x94)
                          .op('(')
                          .op('K')
                          .op(7)
                          .op(0x85)
                          .op('q')
                          .op(1)
                          .op('}')
                          .text("k")
                          .op('h')
                          .op(1)
                          .op('s')
                          .op(0x8f)
                          .op('(')
                          .op('K')
                          .op(1)
                          .op(0x90)
                          .op('(')
                          .op('N')
                          .op('N')
                          .op('1')
                          .op('N')
                          .op('2')
                          .op('0')
                          .op('0')
                          .op('e')
                          .end());
  ASSERT_EQ(parsed.pickle.items(parsed.root()).size(), 3u);
  EXPECT_EQ(parsed.pickle.items(parsed.item(0))[0].integer, 7);
  const PickleValue* shared = parsed.pickle.find(parsed.item(1), "k");
  ASSERT_NE(shared, nullptr);
  EXPECT_EQ(shared->index, parsed.item(0).index) << "the same object, not a copy";
  EXPECT_EQ(parsed.pickle.find(parsed.item(1), "other"), nullptr);
  EXPECT_TRUE(parsed.item(2).is(PickleValue::Kind::set));
}

TEST(Pickle, AnOrderedDictIsADictAlsoAsPython2WritesIt) {
  const Parsed modern(PickleBuilder()
                          .begin(2)
                          .global("collections", "OrderedDict")
                          .op(')')
                          .op('R')
                          .text("a")
                          .op('K')
                          .op(1)
                          .op('s')
                          .end());
  EXPECT_EQ(modern.pickle.find(modern.root(), "a")->integer, 1);
  const Parsed old(PickleBuilder()
                       .begin(2)
                       .global("collections", "OrderedDict")
                       .op(']')
                       .op('(')
                       .op(']')
                       .op('(')
                       .text("a")
                       .op('K')
                       .op(1)
                       .op('e')
                       .op('e')
                       .op(0x85)
                       .op('R')
                       .end());
  ASSERT_TRUE(old.root().is(PickleValue::Kind::dict));
  EXPECT_EQ(old.pickle.find(old.root(), "a")->integer, 1);
}

TEST(Pickle, CallsAreRecordedAndNeverMade) {
  const Parsed parsed(PickleBuilder()
                          .begin(2)
                          .global("argparse", "Namespace")
                          .op(')')
                          .op(0x81)
                          .dict()
                          .text("lr")
                          .op('K')
                          .op(3)
                          .op('s')
                          .op('b')
                          .end());
  const io::PickleGlobal* callable = parsed.pickle.callable(parsed.root());
  ASSERT_NE(callable, nullptr);
  EXPECT_EQ(callable->full_name(), "argparse.Namespace");
  const io::PickleObject& object = parsed.pickle.object(parsed.root());
  EXPECT_EQ(parsed.pickle.find(object.state, "lr")->integer, 3);
  EXPECT_EQ(object.file_offset, 1000u + 23u);
}

TEST(Pickle, NamesThatRunCodeAreRefusedInEverySpelling) {
  const std::pair<const char*, const char*> hostile[] = {
      {"os", "system"},          {"posix", "system"},        {"nt", "system"},
      {"subprocess", "Popen"},   {"builtins", "eval"},       {"__builtin__", "exec"},
      {"builtins", "getattr"},   {"builtins", "__import__"}, {"os.path", "join"},
      {"pickle", "loads"},       {"torch", "os.system"},     {"runpy", "_run_code"},
      {"importlib", "x"},        {"webbrowser", "open"},     {"torch", "a.subprocess.x"},
      {"operator", "attrgetter"}};
  for (const auto& [module, name] : hostile) {
    const CheckpointError error = parse_error(PickleBuilder().begin(2).global(module, name).end());
    EXPECT_EQ(error.kind(), Kind::unsafe_pickle) << module;
    EXPECT_NE(std::string(error.what()).find(std::string(module) + "." + name), std::string::npos);
    EXPECT_EQ(error.offset(), 1002u);
    EXPECT_EQ(parse_error(PickleBuilder().begin(4).text(module).text(name).op(0x93).end()).kind(),
              Kind::unsafe_pickle);
  }
}

TEST(Pickle, HarmlessNamesPass) {
  for (const auto& [module, name] : {std::pair{"builtins", "set"},
                                     {"__builtin__", "int"},
                                     {"osprey", "bird"},
                                     {"torch", "Size"},
                                     {"my.os", "x"}}) {
    EXPECT_TRUE(
        Parsed(PickleBuilder().begin(2).global(module, name).end()).root().is(PickleValue::Kind::global))
        << module;
  }
}

TEST(Pickle, OpcodesThatOnlyRunCodeAreRefused) {
  for (const unsigned opcode : {unsigned{'i'}, unsigned{'o'}, 0x82u, 0x83u, 0x84u}) {
    EXPECT_EQ(parse_error(PickleBuilder().begin(2).op('(').op(opcode).raw("a\nb\n").end()).kind(),
              Kind::unsafe_pickle)
        << opcode;
  }
}

TEST(Pickle, UnknownOpcodesAndProtocolsAreRefused) {
  for (const unsigned opcode : {0u, unsigned{'I'}, unsigned{'S'}, unsigned{'P'}, 0x97u, 0x98u, 0xffu}) {
    expect_corrupt(PickleBuilder().begin(2).op(opcode).end(), "no opcode");
  }
  expect_corrupt(PickleBuilder().begin(1).op('N').end(), "protocol 1");
  expect_corrupt(PickleBuilder().begin(6).op('N').end(), "protocol 6");
}

TEST(Pickle, StackAndMarksAreGuarded) {
  expect_corrupt(PickleBuilder().begin(2).end(), "stack empty");
  expect_corrupt(PickleBuilder().begin(2).op('t').end(), "no mark");
  expect_corrupt(PickleBuilder().begin(2).op('N').op(0x86).end(), "stack empty");
  expect_corrupt(PickleBuilder().begin(2).op('N').op('(').op(0x85).end(),
                 "stack empty");  // not below the mark
  expect_corrupt(PickleBuilder().begin(2).op('0').end(), "stack empty");
  expect_corrupt(PickleBuilder().begin(2).op('2').end(), "stack empty");
  expect_corrupt(PickleBuilder().begin(2).op('N').op('N').op('a').end(), "holds none");
  expect_corrupt(PickleBuilder().begin(2).op(']').op('N').op('N').op('s').end(), "holds none");
  expect_corrupt(PickleBuilder().begin(2).dict().op('(').op('N').op('u').end(), "without a value");
  expect_corrupt(PickleBuilder().begin(2).op('(').op('N').op('d').end(), "without a value");
  expect_corrupt(PickleBuilder().begin(2).op('N').op(')').op('R').end(), "no Python name");
  expect_corrupt(PickleBuilder().begin(2).global("a", "b").op('N').op('R').end(), "no Python name");
  expect_corrupt(PickleBuilder().begin(2).op('N').op('N').op('b').end(), "state");
  expect_corrupt(PickleBuilder().begin(4).op('N').op('N').op(0x93).end(), "not text");
}

TEST(Pickle, MemoNumbersAreGuarded) {
  expect_corrupt(PickleBuilder().begin(2).op('h').op(0).end(), "never set");
  expect_corrupt(PickleBuilder().begin(2).op('q').op(0).end(), "stack empty");
  expect_corrupt(PickleBuilder().begin(2).op('N').op('r').raw("\xff\xff\xff\xff").end(), "out of sequence");
  expect_corrupt(PickleBuilder().begin(2).op('N').op('q').op(1).op('h').op(0).end(), "never set");
  expect_corrupt(PickleBuilder().begin(2).op('j').raw("\xff\xff\xff\xff").end(), "never set");
}

TEST(Pickle, LengthsBeyondTheFileAreRefusedBeforeAnythingIsAllocated) {
  const std::string huge(8, '\x7f');
  for (const unsigned opcode :
       {unsigned{'X'}, unsigned{'B'}, unsigned{'T'}, 0x8bu, 0x8du, 0x8eu, 0x95u, 0x96u}) {
    EXPECT_EQ(parse_error(PickleBuilder().begin(5).op(opcode).raw(huge).end()).kind(),
              Kind::corrupt_container)
        << opcode;
  }
}

TEST(Pickle, EveryTruncationIsRefused) {
  const std::string whole =
      PickleBuilder().begin(2).dict().text("w").torch_tensor("0", 4, {2, 2}, {2, 1}).op('s').end();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_error(whole.substr(0, size)).kind(), Kind::corrupt_container) << size;
  }
}

TEST(Pickle, DepthDoesNotExhaustTheStack) {
  constexpr std::size_t depth = 200'000;
  EXPECT_TRUE(Parsed("\x80\x02N" + std::string(depth, '\x85') + ".").root().is(PickleValue::Kind::tuple));
  EXPECT_TRUE(Parsed("\x80\x02" + std::string(depth, ']') + std::string(depth - 1, 'a') + ".")
                  .root()
                  .is(PickleValue::Kind::list));
}

TEST(Pickle, CyclesAreHarmless) {
  const Parsed parsed(PickleBuilder().begin(2).op(']').op('q').op(0).op('h').op(0).op('a').end());
  EXPECT_EQ(parsed.item(0).index, parsed.root().index);
}

TEST(Pickle, RepeatedContentDoesNotMultiply) {
  expect_corrupt(PickleBuilder().begin(2).repeated_pairs(1000, 1000).end(), "too many dictionaries");
}

TEST(Pickle, StopsBehindItsEnd) {
  const Parsed parsed(PickleBuilder().begin(2).op('N').end() + "rest");
  EXPECT_EQ(parsed.reader.remaining(), 4u);
}

}  // namespace
}  // namespace dformer
