#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "images/image_test.hpp"
#include <dformer/eval/write_probabilities.hpp>

namespace dformer {
namespace {

using testing::error_of;
using testing::expect_mentions;

Prediction make_prediction() {
  Prediction prediction;
  prediction.labels = cv::Mat::zeros(2, 3, CV_8UC1);
  prediction.num_classes = 4;
  for (int i = 0; i < 2 * 3 * 4; ++i) prediction.probabilities.push_back(static_cast<float>(i) / 32);
  return prediction;
}

// The layout that NumPy's format description fixes.
TEST(WriteProbabilities, IsANumpyFile) {
  const testing::TemporaryFolder folder;
  write_probabilities(folder / "p.npy", make_prediction());
  std::ifstream stream(folder / "p.npy", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  ASSERT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + header) % 64, 0u);
  EXPECT_EQ(bytes[10 + header - 1], '\n');
  expect_mentions(bytes.substr(10, header),
                  {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }"});
  ASSERT_EQ(bytes.size(), 10 + header + 24 * sizeof(float));
  float last = 0;
  std::memcpy(&last, bytes.data() + bytes.size() - sizeof last, sizeof last);
  EXPECT_EQ(last, 23.0f / 32);
}

TEST(WriteProbabilities, NamesAFileThatCannotBe) {
  const testing::TemporaryFolder folder;
  expect_mentions(
      error_of<FileError>([&] { write_probabilities(folder / "missing/p.npy", make_prediction()); }),
      {"missing/p.npy", "create the folder"});
}

}  // namespace
}  // namespace dformer
