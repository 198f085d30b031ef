#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include <dformer/io/rename_keys.hpp>

namespace dformer {
namespace {

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(PrefixRename, HasTwoSidesOfWhichOneMayBeEmpty) {
  EXPECT_EQ(parse_prefix_rename("encoder.=backbone.").from, "encoder.");
  EXPECT_EQ(parse_prefix_rename("encoder.=backbone.").to, "backbone.");
  EXPECT_EQ(parse_prefix_rename("=backbone.").from, "");
  EXPECT_EQ(parse_prefix_rename("net.=").to, "");
  for (const char* wrong : {"", "=", "encoder", "a=b=c"})
    EXPECT_THROW(parse_prefix_rename(wrong), ArgumentError) << wrong;
}

TEST(PrefixRename, TheFirstThatFitsCounts) {
  const std::vector<PrefixRename> renames{{"a.b.", "x."}, {"a.", "y."}};
  EXPECT_EQ(find_rename("a.b.weight", renames), 0u);
  EXPECT_EQ(find_rename("a.c.weight", renames), 1u);
  EXPECT_EQ(find_rename("c.a.weight", renames), 2u);
}

TEST(PrefixRename, AFileHasOneALine) {
  const testing::TemporaryFile file("# ours\n\n encoder. = backbone. # theirs\r\nhead.=decode_head.\nx.=");
  const std::vector<PrefixRename> renames = read_prefix_renames(file.path());
  ASSERT_EQ(renames.size(), 3u);
  EXPECT_EQ(renames[0].from, "encoder.");
  EXPECT_EQ(renames[0].to, "backbone.");
  EXPECT_EQ(renames[1].to, "decode_head.");
  EXPECT_EQ(renames[2].to, "");
}

TEST(PrefixRename, AFileThatIsWrongIsNamedWithItsLine) {
  const testing::TemporaryFile file("a.=b.\n\nencoder backbone\n");
  const std::string text = error_of([&] { read_prefix_renames(file.path()); });
  EXPECT_NE(text.find(file.path().string() + ":3]"), std::string::npos) << text;
  EXPECT_NE(text.find("encoder backbone"), std::string::npos) << text;
  EXPECT_NE(error_of([] { read_prefix_renames("/dev/zero"); }).find("line 1 has more than 4096 bytes"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_prefix_renames("/no/such/file"); }).find("/no/such/file"), std::string::npos);
}

}  // namespace
}  // namespace dformer
