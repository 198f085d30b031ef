// Two networks on the backend Cuda beside recorded runs of the official code, in three precisions. (All of
// them: all_networks.hpp, on a GPU.)
#include <cuda/network_parity.hpp>
#include <support/backend_under_test.hpp>

namespace dformer::testing {
namespace {

TEST(Networks, MeetTheRecordedRuns) {
  EXPECT_LT((logits_difference<DFormer_Tiny, float>("DFormer_Tiny.1x64x96")), 1e-4);
  EXPECT_LT((logits_difference<DFormerv2_S, float>("DFormerv2_S.1x64x96")), 1e-4);
}

template <class Scalar>
void expect_rounded_networks() {
  EXPECT_LT((logits_difference<DFormer_Tiny, Scalar>("DFormer_Tiny.1x64x96")), logits_bound<Scalar>);
  EXPECT_LT((logits_difference<DFormerv2_S, Scalar>("DFormerv2_S.1x64x96")), logits_bound<Scalar>);
}
TEST(Networks, InHalf) {
  expect_rounded_networks<half>();
}
TEST(Networks, InBfloat16) {
  expect_rounded_networks<bfloat16>();
}

}  // namespace
}  // namespace dformer::testing
