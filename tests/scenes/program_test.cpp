#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "images/image_test.hpp"
#include "programs/run.hpp"

namespace dformer::testing {
namespace {

TEST(ScenesProgram, WritesADataSetAndASheet) {
  const TemporaryFolder folder;
  const Outcome outcome = run(folder, DFORMER_SCENES,
                              {"--out", folder / "set", "--train", "2", "--test", "1", "--size", "48x64",
                               "--seed", "9", "--depth-format", "mm", "--sheet", folder / "sheet.png"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out, {"wall", "2 training and 1 test images of 48x64"});
  EXPECT_EQ(cv::imread(folder / "set/Depth/train_00001.png", cv::IMREAD_UNCHANGED).type(), CV_16UC1);
  EXPECT_FALSE(cv::imread(folder / "sheet.png").empty());
}

TEST(ScenesProgram, RefusesAWrongCommandLine) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& option, const std::string& value) {
    return run(folder, DFORMER_SCENES, {"--out", folder / "set", option, value});
  };
  Outcome outcome = refused("--size", "64");
  EXPECT_EQ(outcome.exit_code, 2);
  expect_mentions(outcome.err, {"HEIGHTxWIDTH expected, such as 480x640, got '64'"});
  EXPECT_EQ(refused("--depth-format", "metre").exit_code, 2);
  EXPECT_EQ(run(folder, DFORMER_SCENES, {}).exit_code, 2);
  outcome = refused("--classes", "chair,dragon");
  EXPECT_EQ(outcome.exit_code, 1);
  expect_mentions(outcome.err, {"\"dragon\""});
  EXPECT_FALSE(std::filesystem::exists(folder / "set"));
}

}  // namespace
}  // namespace dformer::testing
