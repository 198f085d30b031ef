// dformer_bench as a user runs it, at a small size. Nothing here depends on how long anything takes.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/run.hpp"

namespace dformer {
namespace {

using nlohmann::json;
using testing::expect_mentions;
using testing::Outcome;

class Bench : public ::testing::Test {
 protected:
  Outcome bench(const std::vector<std::string>& arguments) const {
    return testing::run(folder_, DFORMER_BENCH, arguments);
  }
  json results() const { return json::parse(testing::read_text(folder_ / "bench.json")); }
  std::string json_file() const { return (folder_ / "bench.json").string(); }

  testing::TemporaryFolder folder_;
};

TEST_F(Bench, MeasuresTwoNetworks) {
  const Outcome outcome =
      bench({"--model", "DFormer_Tiny,DFormerv2_S", "--size", "64x96", "--batch", "2", "--runs", "3",
             "--warmup", "1", "--threads", "1", "--isa", "baseline", "--json", json_file()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_mentions(outcome.out, {"DFormer_Tiny", "DFormerv2_S", "baseline, threads 1", "2 x 64 x 96", "p99"});

  const json all = results();
  EXPECT_EQ(all["machine"]["instruction_set"], "baseline");
  EXPECT_EQ(all["machine"]["threads"], 1);
  EXPECT_FALSE(all["machine"]["processor"].get<std::string>().empty());
  EXPECT_EQ(all["input"], json({{"batch", 2}, {"height", 64}, {"width", 96}}));
  EXPECT_EQ(all["runs"], 3);
  ASSERT_EQ(all["models"].size(), 2u);
  for (const json& model : all["models"]) {
    const json& count = model["multiply_adds"];
    EXPECT_GT(count["papers"], 0);
    EXPECT_EQ(count["full"].get<std::int64_t>(), count["dense"].get<std::int64_t>() +
                                                     count["attention"].get<std::int64_t>() +
                                                     count["factorization"].get<std::int64_t>());
    const json& times = model["latency_ms"];
    EXPECT_GT(times["setup"], 0);
    EXPECT_GT(times["cold"], 0);
    for (const char* phase : {"total", "pre", "net", "post"}) {
      EXPECT_GT(times[phase]["min"], 0) << phase;
      EXPECT_LE(times[phase]["p50"], times[phase]["p90"]) << phase;
      EXPECT_LE(times[phase]["p90"], times[phase]["p99"]) << phase;
    }
    const json& memory = model["memory_bytes"];
    EXPECT_GE(memory["weights"].get<double>(), 4 * model["parameters"].get<double>());
    EXPECT_GT(memory["pool_peak"], memory["weights"]);
    EXPECT_GT(memory["process_peak"], memory["weights"]);
  }
  EXPECT_NEAR(all["models"][0]["parameters"].get<double>(), 6.0e6, 0.1e6);   // DFormer, table 2
  EXPECT_NEAR(all["models"][1]["parameters"].get<double>(), 26.7e6, 0.1e6);  // DFormerv2, table 2
}

TEST_F(Bench, MultiplyAddsGrowWithTheBatch) {
  const auto papers = [&](const char* batch) {
    const Outcome outcome = bench({"--model", "DFormer_Tiny", "--size", "64x64", "--batch", batch, "--runs",
                                   "1", "--warmup", "1", "--json", json_file()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return results()["models"][0]["multiply_adds"]["papers"].get<std::int64_t>();
  };
  EXPECT_EQ(papers("3"), 3 * papers("1"));
}

TEST_F(Bench, CommandLinesThatAreWrong) {
  const Outcome model = bench({"--model", "ResNet"});
  EXPECT_EQ(model.exit_code, 2);
  expect_mentions(model.err, {"ResNet", "DFormer_Tiny"});
  EXPECT_EQ(bench({"--size", "0x64"}).exit_code, 2);
  EXPECT_EQ(bench({"--classes", "256"}).exit_code, 2);
  EXPECT_EQ(bench({"--isa", "mmx"}).exit_code, 2);
}

TEST_F(Bench, GoesOnWithoutANetworkThatDoesNotTakeTheSize) {
  const auto of = [&](const std::string& models) {
    return bench(
        {"--model", models, "--size", "40x64", "--runs", "1", "--warmup", "1", "--json", json_file()});
  };
  const Outcome both = of("AsymFormer,DFormer_Tiny");
  EXPECT_EQ(both.exit_code, 1);
  expect_mentions(both.err, {"AsymFormer is left out", "multiples of 32"});
  const json all = results();
  ASSERT_EQ(all["models"].size(), 1u);
  EXPECT_EQ(all["models"][0]["model"], "DFormer_Tiny");
  const Outcome alone = of("AsymFormer");
  EXPECT_EQ(alone.exit_code, 1);
  expect_mentions(alone.err, {"dformer_bench: ", "multiples of 32"});
}

TEST_F(Bench, SaysWhatFailed) {
  const Outcome unwritable = bench({"--model", "DFormer_Tiny", "--size", "64x64", "--runs", "1", "--warmup",
                                    "1", "--json", (folder_ / "missing/bench.json").string()});
  EXPECT_EQ(unwritable.exit_code, 1);
  expect_mentions(unwritable.err, {"dformer_bench: ", "missing/bench.json"});
}

}  // namespace
}  // namespace dformer
