// Whole networks on the backend Cuda beside recorded runs of the official code, in three precisions.
#include <cmath>
#include <string>
#include <type_traits>

#include <support/backend_under_test.hpp>

#include <dformer/backend/observe.hpp>
#include <dformer/io/parity.hpp>
#include <dformer/models/variants.hpp>

namespace dformer::testing {
namespace {

/// The largest difference of the logits from those of a recorded run, over the largest of these. In float32
/// everything else that was recorded must be met as well.
template <template <class, class> class Variant, class Scalar>
double logits_difference(const std::string& name) {
  Variant<Observe<Cuda<Scalar>>, NYUDepthv2> network;
  const ParityFixture fixture(std::string(DFORMER_TEST_DATA) + "/models/" + name + ".safetensors");
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

/// Every operation rounds its result once, by at most the unit roundoff u of Scalar, relative to the values
/// it adds up; some hundred operations lie one behind another, and independent errors add as their root: 10 u
/// of the largest logit, and three times that since branches meet.
template <class Scalar>
void expect_rounded_networks(double roundoff) {
  const double bound = 30 * roundoff;
  EXPECT_LT((logits_difference<DFormer_Tiny, Scalar>("DFormer_Tiny.1x64x96")), bound);
  EXPECT_LT((logits_difference<DFormerv2_S, Scalar>("DFormerv2_S.1x64x96")), bound);
}

TEST(Networks, InHalf) {
  expect_rounded_networks<half>(0x1p-11);
}
TEST(Networks, InBfloat16) {
  expect_rounded_networks<bfloat16>(0x1p-8);
}

}  // namespace
}  // namespace dformer::testing
