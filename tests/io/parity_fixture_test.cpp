// Fixtures that lie about themselves: refused with a sentence, whatever they claim.
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_support.hpp"
#include <dformer/io/parity_comparison.hpp>
#include <dformer/io/safetensors_writer.hpp>

namespace dformer {
namespace {

class Fixture : public ::testing::Test {
 protected:
  void run() const {
    const testing::TemporaryFile file("");
    std::vector<NamedTensor> tensors;
    for (const auto& [name, values] : floats)
      tensors.push_back({name, tensor_of({static_cast<std::int64_t>(values.size())}, values)});
    for (const auto& [name, values] : integers)
      tensors.push_back({name, tensor_of({static_cast<std::int64_t>(values.size())}, values)});
    write_safetensors(file.path(), tensors, metadata);
    const ParityFixture fixture(file.path());
    const parity::HostTensor block{{1, 2, 2, 4}, std::vector<float>(16, 1.0f)};
    const std::map<std::string, parity::HostTensor> results{{"backbone.stages.0.0.mlp.fc2.weight", block}};
    const parity::HostTensor scores{{1, 1, 1, 2}, {1, 1}};
    const parity::HostTensor final{{1, 8, 8, 2}, std::vector<float>(128, 1.0f)};
    const std::vector<std::uint8_t> labels(64, 0);
    parity::Comparison(fixture, results).report(scores, final, labels);
  }
  /// The refusal must name what is wrong.
  void refused(const std::string& what) const {
    try {
      run();
      ADD_FAILURE() << what << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }

  std::map<std::string, std::string> metadata{{"format", "dformer-golden-1"},
                                              {"salt", ""},
                                              {"mode", "eval"},
                                              {"model", "DFormer_Tiny"},
                                              {"input_shape", "[1, 3, 8, 8]"},
                                              {"num_classes", "2"},
                                              {"f64_maxabs_logits", "1e-6"},
                                              {"f64_maxabs_feats", "[\"1e-6\"]"},
                                              {"taps", "[[\"backbone.stages.0.0#0\", [1, 2, 2, 4]]]"}};
  std::map<std::string, std::vector<float>> floats{{"logits", {1, 1}},
                                                   {"tap.values", std::vector<float>(16, 1.0f)},
                                                   {"feat0.val", {1, 1}},
                                                   {"final.val", {1}}};
  std::map<std::string, std::vector<std::int64_t>> integers{{"feat0.idx", {0, 15}},
                                                            {"final.idx", {127}},
                                                            {"argmax", std::vector<std::int64_t>(64, 0)},
                                                            {"ambiguous", std::vector<std::int64_t>(64, 0)}};
};

TEST_F(Fixture, ThatIsSoundIsCompared) {
  EXPECT_NO_THROW(run());
}

TEST_F(Fixture, SizesThatNoMemoryHoldsAreRefused) {
  for (const char* shape : {"[1, 3, 1000000, 1000000]", "[1, 3, 4611686018427387904, 4]", "[1, 3, 0, 8]",
                            "[1, 1, 8, 8]", "[1, 3, 8, 8, 1, 1, 1, 1]"}) {
    metadata["input_shape"] = shape;
    refused("input_shape");
  }
}

TEST_F(Fixture, ARunLargerThanTheFileIsRefused) {
  metadata["input_shape"] = "[1, 3, 8000, 8000]";
  refused("a label for each pixel under 'argmax'");
}

TEST_F(Fixture, MetadataThatAreNoJsonAreNamed) {
  metadata["taps"] = "[[1]]";
  refused("the metadata under 'taps'");
  metadata["taps"] = "[] and more";
  refused("the metadata under 'taps'");
}

TEST_F(Fixture, NumbersOfClassesThatAreNoneAreRefused) {
  for (const char* classes : {"1e30", "-1", "2.5", "nan", "256", "many"}) {
    metadata["num_classes"] = classes;
    refused("num_classes");
  }
}

TEST_F(Fixture, IndicesOutsideTheirTensorAreRefused) {
  integers["feat0.idx"] = {0, 16};
  refused("feat0.idx");
  integers["feat0.idx"] = {0, -1};
  refused("feat0.idx");
  integers["feat0.idx"] = {0, 1, 2};
  refused("feat0.val");
}

TEST_F(Fixture, ArraysOfAnotherSizeAreRefused) {
  floats["logits"] = {1, 1, 1};
  refused("logits");
  floats["logits"] = {1, 1};
  floats["tap.values"].resize(8);
  refused("tap.values");
  floats["tap.values"].resize(16);
  metadata["taps"] = "[[\"backbone.stages.0.0#0\", [1, 2, 2, 0]]]";
  refused("backbone.stages.0.0#0");
  metadata["taps"] = "[[\"backbone.stages.0.0#0\", [1, 2, 2, 400]]]";
  refused("backbone.stages.0.0#0");
  metadata["taps"] = "[[\"backbone.stages.0.0#0\", [1, 1, 1, 1, 2, 2, 4]]]";
  refused("too many extents");
  metadata["taps"] = "[]";
  floats.erase("tap.values");
  integers["ambiguous"].resize(63);
  refused("ambiguous");
  integers["argmax"].resize(65);
  refused("argmax");
}

/// What 16 bits are asked of a run recorded in float32.
TEST(ParityReport, JudgesTheLogitsAloneByABoundOfTheirOwn) {
  const auto report = [](double logits) {
    return ParityReport{{{"tap", 16, 3.0, 0.5, 1e-3}, {"logits", 8, logits, logits / 10.0, 1e-3}}, {}};
  };
  for (const double off : {0.0, 0.14, 0.16}) {
    ParityReport judged = report(off);
    judged.judge_logits_alone(0.015);  // of 10, the largest
    EXPECT_EQ(judged.passed(), off < 0.15) << off;
  }
  ParityReport infinite = report(HUGE_VAL);
  infinite.judge_logits_alone(0.015);
  EXPECT_FALSE(infinite.passed());
  ParityReport without{{{"tap", 16, 3.0, 0.5, 1e-3}}, {}};
  without.judge_logits_alone(0.015);
  EXPECT_FALSE(without.passed()) << "nothing else would be asked";
}

}  // namespace
}  // namespace dformer
