// Every file of tests/data/checkpoints gives the tensors, bit for bit, or the error that its table names.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include <dformer/core/fill.hpp>
#include <dformer/io/byte_reader.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/inflate.hpp>

namespace dformer {
namespace {

using Row = std::vector<std::string>;

const std::string folder = std::string(DFORMER_TEST_DATA) + "/checkpoints/";

std::vector<Row> read_table(const std::string& name) {
  std::ifstream file(folder + name);
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    Row row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) row.push_back(cell);
    rows.push_back(row);
  }
  return rows;
}

/// file -> rows of expected_tensors.tsv
const std::map<std::string, std::vector<Row>>& expected_tensors() {
  static const auto table = [] {
    std::map<std::string, std::vector<Row>> by_file;
    for (const Row& row : read_table("expected_tensors.tsv")) by_file[row[0]].push_back(row);
    return by_file;
  }();
  return table;
}

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const std::int64_t extent : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text.empty() ? "scalar" : text;
}

std::string fnv_text(std::span<const float> values) {
  std::ostringstream text;
  text.width(16);
  text.fill('0');
  text << std::hex << fnv1a64(io::as_text(std::as_bytes(values)));
  return text.str();
}

void expect_tensor(const TensorRecord& tensor, const Row& expected) {
  SCOPED_TRACE(tensor.name);
  EXPECT_EQ(to_string(tensor.dtype), expected[3]);
  EXPECT_EQ(shape_text(tensor.shape), expected[4]);
  const std::vector<float> values = tensor.to_float32();
  double sum = 0.0;
  double magnitude = 0.0;
  for (float value : values) {
    sum += static_cast<double>(value);
    magnitude += std::abs(static_cast<double>(value));
  }
  // The sum only helps to see what is wrong; it was made in another order of additions.
  EXPECT_NEAR(sum, std::stod(expected[5]), 1e-13 * magnitude);
  EXPECT_EQ(fnv_text(values), expected[6]);
}

class CheckpointFixture : public ::testing::TestWithParam<Row> {};

TEST_P(CheckpointFixture, GivesWhatTheTableSays) {
  const Row& row = GetParam();
  const std::string path = folder + row[0];
  ASSERT_TRUE(std::filesystem::exists(path));
  if (row[1] == "no") {
    const CheckpointError error = testing::expect_checkpoint_error([&] { read_checkpoint(path); });
    EXPECT_EQ(to_string(error.kind()), row[2]) << error.what();
    EXPECT_NE(std::string(error.what()).find(row[0]), std::string::npos)
        << "the text names the file: " << error.what();
    EXPECT_EQ(error.path(), path);
    return;
  }
  if (row[0] == "deflated.pth" && !io::has_inflate) {
    const CheckpointError error = testing::expect_checkpoint_error([&] { read_checkpoint(path); });
    EXPECT_EQ(error.kind(), CheckpointError::Kind::unsupported_compression);
    return;
  }
  const Checkpoint checkpoint = read_checkpoint(path);
  EXPECT_EQ(checkpoint.selected(), row[2]);
  std::size_t weights = 0;
  for (const Row& expected : expected_tensors().at(row[0])) {
    if (expected[1] == "weights") {
      ASSERT_LT(weights, checkpoint.tensors().size());
      const TensorRecord& tensor = checkpoint.tensors()[weights++];
      EXPECT_EQ(tensor.name, expected[2]);
      EXPECT_EQ(checkpoint.find(expected[2]), &tensor);
      expect_tensor(tensor, expected);
    } else {
      const TensorRecord* found = nullptr;
      for (const TensorRecord& other : checkpoint.other_tensors()) {
        if (other.name == "optimizer." + expected[2]) found = &other;
      }
      ASSERT_NE(found, nullptr) << expected[2];
      expect_tensor(*found, expected);
    }
  }
  EXPECT_EQ(weights, checkpoint.tensors().size());
}

std::string test_name(const ::testing::TestParamInfo<Row>& row) {
  std::string name = row.param[0];
  for (char& symbol : name) {
    if (std::isalnum(static_cast<unsigned char>(symbol)) == 0) symbol = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, CheckpointFixture, ::testing::ValuesIn(read_table("expected_files.tsv")),
                         test_name);

TEST(CheckpointFixtures, EveryFileIsInTheTable) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".tsv") || name == "README.md") continue;
    ++files;
    bool listed = false;
    for (const Row& row : read_table("expected_files.tsv")) listed = listed || row[0] == name;
    EXPECT_TRUE(listed) << name;
  }
  EXPECT_EQ(files, read_table("expected_files.tsv").size());
}

TEST(CheckpointFixtures, NothingOfAHostilePickleWasRun) {
  EXPECT_FALSE(std::filesystem::exists("golden_pwned.txt"));
}

}  // namespace
}  // namespace dformer
