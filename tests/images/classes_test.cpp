#include <set>
#include <string>

#include <gtest/gtest.h>

#include "image_test.hpp"
#include <dformer/data/classes.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

TEST(Classes, OfTheDataSets) {
  EXPECT_EQ(nyu_depth_v2_classes[0], "wall");
  EXPECT_EQ(nyu_depth_v2_classes[39], "otherprop");
  // SUNRGBD has NYUDepthv2's classes but for the last three.
  for (std::size_t i = 0; i < sunrgbd_classes.size(); ++i)
    EXPECT_EQ(sunrgbd_classes[i], nyu_depth_v2_classes[i]);
  EXPECT_EQ(std::set<std::string_view>(nyu_depth_v2_classes.begin(), nyu_depth_v2_classes.end()).size(), 40u);
}

TEST(Classes, ANameForEveryIndex) {
  const ClassList classes(sunrgbd_classes);
  EXPECT_EQ(classes.size(), 37u);
  EXPECT_EQ(classes.name(36), "bag");
  EXPECT_EQ(classes.name(37), "class 37");
  EXPECT_EQ(ClassList().name(0), "class 0");
  EXPECT_NO_THROW(classes.require_size(37));
  expect_mentions(error_of<ArgumentError>([&] { classes.require_size(40); }), {"40", "37"});
}

TEST(Classes, AreReadFromAFile) {
  const testing::TemporaryFolder folder;
  folder.write("classes.txt", "\xEF\xBB\xBFroad\r\n  side walk \r\n\xE5\xA2\x99\n\n\n");
  const ClassList classes = read_classes(folder / "classes.txt");
  EXPECT_EQ(classes.names(), (std::vector<std::string>{"road", "side walk", "\xE5\xA2\x99"}));
}

TEST(Classes, BadFilesAreRejected) {
  const testing::TemporaryFolder folder;
  const auto read = [&](std::string_view content) {
    folder.write("classes.txt", content);
    return error_of<ArgumentError>([&] { read_classes(folder / "classes.txt"); });
  };
  expect_mentions(read(""), {"classes.txt", "no class name"});
  expect_mentions(read("\n \n"), {"no class name"});
  expect_mentions(read("wall\n\nfloor\n"), {"line 2 is empty"});
  expect_mentions(read("\nfloor\n"), {"line 1 is empty"});
  expect_mentions(read("wall\nfloor\nwall\n"), {"line 3", "\"wall\"", "line 1"});
  std::string many;
  for (int i = 0; i < 256; ++i) many += std::to_string(i) + "\n";
  expect_mentions(read(many), {"256", "255"});
  expect_mentions(error_of<ArgumentError>([&] { read_classes(folder / "missing.txt"); }),
                  {"missing.txt", "opened"});
  expect_mentions(error_of<ArgumentError>([&] { read_classes(folder.path()); }), {folder.path().string()});
}

}  // namespace
}  // namespace dformer
