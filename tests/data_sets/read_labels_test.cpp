#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/data/read_labels.hpp>
#include <dformer/data/write_image.hpp>

namespace dformer {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::expect_mentions;
using testing::row_of;
using testing::TemporaryFolder;

TEST(ReadLabels, BothNumberings) {
  const cv::Mat stored = row_of<std::uint8_t>({0, 1, 40});
  EXPECT_EQ(bytes_of(decode_labels(stored, LabelNumbering::from_one, 40)), (std::vector{255, 0, 39}));
  EXPECT_EQ(bytes_of(decode_labels(row_of<std::uint8_t>({0, 39, 255}), LabelNumbering::from_zero, 40)),
            (std::vector{0, 39, 255}));
}

TEST(ReadLabels, AreWhatWasWritten) {
  const TemporaryFolder folder;
  const cv::Mat labels = row_of<std::uint8_t>({255, 0, 17, 36});
  for (LabelNumbering numbering : {LabelNumbering::from_zero, LabelNumbering::from_one}) {
    write_labels(folder / "a.png", labels, numbering);
    EXPECT_EQ(bytes_of(read_labels(folder / "a.png", numbering, 37)), bytes_of(labels));
  }
}

TEST(ReadLabels, OutOfRangeIsLocated) {
  expect_mentions(error_of<ImageError>([] {
                    decode_labels(row_of<std::uint8_t>({1, 2, 41}), LabelNumbering::from_one, 40, "a.png");
                  }),
                  {"[a.png]", "label 41 at column 2, row 0", "1 to 40", "numbered from 0"});
  expect_mentions(
      error_of<ImageError>([] { decode_labels(row_of<std::uint8_t>({40}), LabelNumbering::from_zero, 40); }),
      {"label 40", "0 to 39", "numbered from 1"});
  // Counted from one, 255 is no ignored pixel but class 254.
  expect_mentions(
      error_of<ImageError>([] { decode_labels(row_of<std::uint8_t>({255}), LabelNumbering::from_one, 40); }),
      {"label 255"});
}

TEST(ReadLabels, OtherImagesAreRefused) {
  const TemporaryFolder folder;
  write_picture(folder / "colors.png", cv::Mat(2, 2, CV_8UC3, cv::Scalar(1, 2, 3)));
  expect_mentions(
      error_of<ImageError>([&] { read_labels(folder / "colors.png", LabelNumbering::from_one, 40); }),
      {"colors.png", "8-bit, 3 channels", "class numbers"});
  expect_mentions(
      error_of<ImageError>([] { decode_labels(row_of<std::uint16_t>({1}), LabelNumbering::from_one, 40); }),
      {"16-bit"});
}

}  // namespace
}  // namespace dformer
