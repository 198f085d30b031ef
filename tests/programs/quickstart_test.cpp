// dformer_quickstart, a tenth of it: enough to see that a network learns, and that depth helps it.
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/run.hpp"

namespace dformer {
namespace {

TEST(Quickstart, ReportsBothScoresAndDrawsThePicture) {
  const testing::TemporaryFolder folder;
  const std::string out = (folder / "out").string();
  const testing::Outcome outcome = testing::run(
      folder, DFORMER_QUICKSTART,
      {"--out", out, "--samples", DFORMER_SAMPLES, "--steps", "120", "--images", "200", "--threads", "2"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(testing::read_text(folder / "out" / "report.json"));
  EXPECT_GT(report.at("miou").get<double>(), 0.1);
  EXPECT_GT(report.at("miou").get<double>(), report.at("miou_without_depth").get<double>());
  EXPECT_TRUE(std::filesystem::exists(folder / "out" / "quickstart.jpg"));
  EXPECT_TRUE(std::filesystem::exists(folder / "out" / "network.pth"));
}

}  // namespace
}  // namespace dformer
