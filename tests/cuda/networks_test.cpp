// Whole networks on the backend Cuda beside recorded runs of the official code, in three precisions.
#include <cmath>
#include <string>
#include <type_traits>

#include <support/backend_under_test.hpp>

#include <dformer/backend/observe.hpp>
#include <dformer/io/checkpoint.hpp>
#include <dformer/io/parity.hpp>
#include <dformer/models/variants.hpp>

namespace dformer::testing {
namespace {

/// The largest difference of the logits from those of a recorded run, over the largest of these. In float32
/// everything else that was recorded must be met as well.
template <template <class, class> class Variant, class Scalar>
double logits_difference(const std::string& name) {
  Variant<Observe<Cuda<Scalar>>, NYUDepthv2> network;
  const ParityFixture fixture(
      read_checkpoint(std::string(DFORMER_TEST_DATA) + "/models/" + name + ".safetensors"));
  const ParityReport report = check_parity(network, fixture, cuda::Device());
  double difference = INFINITY;
  for (const ParityEntry& entry : report.entries) {
    if (std::is_same_v<Scalar, float>) {
      EXPECT_TRUE(entry.passed()) << entry.name << ": " << entry.max_abs << ", allowed " << entry.tolerance;
    }
    if (entry.name == "logits") difference = entry.max_rel;
  }
  return difference;
}

TEST(Networks, MeetTheRecordedRuns) {
  EXPECT_LT((logits_difference<DFormer_Tiny, float>("DFormer_Tiny.1x64x96")), 1e-4);
  EXPECT_LT((logits_difference<DFormerv2_S, float>("DFormerv2_S.1x64x96")), 1e-4);
}

}  // namespace
}  // namespace dformer::testing
