// The networks' names are those of the official files: nothing is missing, nothing is left over.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/count/count.hpp>
#include <dformer/io/load_plan.hpp>
#include <dformer/models.hpp>
#include <dformer/nn/visit.hpp>

namespace dformer {
namespace {

template <class Net>
LoadReport plan_for(const std::string& file) {
  const Net net;
  std::vector<LoadTarget> targets;
  for (const auto& [name, parameter] : parameters(net)) {
    targets.push_back({name, parameter->shape(), parameter->kind(), parameter->table() != nullptr});
  }
  const Checkpoint checkpoint = read_checkpoint(std::string(DFORMER_TEST_DATA) + "/checkpoints/" + file);
  return plan_load(checkpoint, targets, {.strict = false}).report;
}

void expect_every_name_met(const LoadReport& report, std::size_t count) {
  EXPECT_TRUE(report.missing.empty() && report.unused.empty()) << to_string(report);
  EXPECT_TRUE(report.renamed.empty() && report.ignored.empty()) << to_string(report);
  // The fixtures' extents are cut to at most 4, so nearly all shapes differ; that every one is accounted for
  // is the point.
  EXPECT_EQ(report.applied.size() + report.mismatched.size(), count);
  for (const LoadReport::Mismatched& entry : report.mismatched) {
    EXPECT_EQ(entry.file_shape.rank(), entry.shape.rank()) << entry.name;
  }
}

TEST(PublishedNames, DFormer) {
  expect_every_name_met(plan_for<DFormer_Tiny<Count>>("full_v1_tiny_keys.pth"), 692);
}

TEST(PublishedNames, DFormerV2) {
  expect_every_name_met(plan_for<DFormerv2_S<Count>>("full_v2_small_keys.pth"), 802);
}

}  // namespace
}  // namespace dformer
