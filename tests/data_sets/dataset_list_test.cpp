#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/data/classes.hpp>
#include <dformer/data/dataset_list.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;
using testing::TemporaryFolder;

TEST(DatasetList, LinesOfAllKinds) {
  const auto expect = [](const char* line, const char* stem, const char* extension) {
    const ListedName name = parse_list_line(line);
    EXPECT_EQ(name.stem, stem) << line;
    EXPECT_EQ(name.extension, extension) << line;
  };
  expect("RGB/2.jpg Label/2.png", "2", ".jpg");
  expect("RGB/2.jpg\tLabel/2.png\r", "2", ".jpg");
  expect("RGB/img-000001.png", "img-000001", ".png");
  expect("0001", "0001", "");
  expect("RGB/office/0001.v2.JPG", "office/0001.v2", ".JPG");
  expect("frame.0001", "frame.0001", "");
  expect("   ", "", "");
}

TEST(DatasetList, KeepsTheOrderAndSkipsBlankLines) {
  const TemporaryFolder folder;
  folder.write("train.txt", "\xEF\xBB\xBFRGB/10.jpg\r\n\r\nRGB/9.jpg\nRGB/10.jpg");
  const auto names = read_dataset_list(folder / "train.txt");
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(names[0].stem, "10");
  EXPECT_EQ(names[1].stem, "9");
  EXPECT_EQ(names[2].stem, "10");
}

TEST(DatasetList, MissingAndEmptyListsAreNamed) {
  const TemporaryFolder folder;
  folder.write("empty.txt", "\n  \n");
  const auto error = [&](const std::string& name) {
    return error_of<DatasetError>([&] { read_dataset_list(folder / name); });
  };
  expect_mentions(error("test.txt"), {(folder / "test.txt").string(), "cannot be opened"});
  expect_mentions(error("empty.txt"), {(folder / "empty.txt").string(), "lists no image"});
  expect_mentions(error("."), {"cannot be opened"});
}

TEST(DatasetList, TextThatIsNotUtf8IsRefused) {
  const TemporaryFolder folder;
  const std::string two_bytes("R\0G\0B\0/\0002\0\n\0", 12);
  for (const std::string& text :
       {"\xFF\xFE" + two_bytes, "\xFE\xFF" + two_bytes, two_bytes, "RGB/2.jpg\n" + two_bytes}) {
    folder.write("list.txt", text);
    const std::string error = error_of<DatasetError>([&] { read_dataset_list(folder / "list.txt"); });
    expect_mentions(error,
                    {(folder / "list.txt").string(), "is no UTF-8 text (UTF-16?)", "save the list as"});
    EXPECT_EQ(error.find('\0'), error.npos);
  }
  EXPECT_NE(error_of<DatasetError>([&] { read_dataset_list(folder / "list.txt"); }).find("line 2"),
            std::string::npos);
}

TEST(DatasetList, BlanksInNamesAreSuspected) {
  const auto text = [](const char* line) { return blank_in_name_text(parse_list_line(line)); };
  for (const char* sound : {"RGB/2.jpg Label/2.png", "RGB/2.jpg\t Label/2.png \r", " RGB/2.jpg", "2 ", ""})
    EXPECT_EQ(text(sound), "") << sound;
  expect_mentions(text("RGB/my room.jpg"), {"a name ends at the first blank", "2 words"});
  expect_mentions(text("RGB/2.jpg Label/2 .png"), {"3 words"});
}

TEST(DatasetList, ALineWithoutAnEndIsNotReadToIt) {
  const TemporaryFolder folder;
  folder.write("list.txt", "RGB/1.png\n" + std::string(100000, 'x'));
  expect_mentions(error_of<DatasetError>([&] { read_dataset_list(folder / "list.txt"); }),
                  {"list.txt", "line 2 has more than 4096 bytes"});
  std::ifstream zeros("/dev/zero");
  EXPECT_THROW(parse_dataset_list(zeros, "/dev/zero"), DatasetError);
  std::ifstream more_zeros("/dev/zero");
  EXPECT_THROW(parse_classes(more_zeros, "/dev/zero"), ArgumentError);
}

TEST(DatasetList, ExtensionsMayBeOfCapitals) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "Depth");
  folder.write("Depth/2.PNG", "");
  EXPECT_EQ(find_listed_image(folder / "Depth", parse_list_line("RGB/2.JPG"), ".png"),
            folder / "Depth/2.PNG");
}

TEST(DatasetList, NamesThatLeadOutOfTheFolderAreRefused) {
  const TemporaryFolder folder;
  for (const std::string line : {"RGB/../../secret.png", "RGB//etc/passwd.png", "..", "RGB/a/../../b.jpg"}) {
    folder.write("list.txt", "RGB/1.png\n" + line + "\n");
    expect_mentions(error_of<DatasetError>([&] { read_dataset_list(folder / "list.txt"); }),
                    {"list.txt", "line 2", "leads out of the folder"});
  }
  folder.write("list.txt", "RGB/a..b/..c.png\n");  // dots alone lead nowhere
  EXPECT_EQ(read_dataset_list(folder / "list.txt")[0].stem, "a..b/..c");
}

}  // namespace
}  // namespace dformer
