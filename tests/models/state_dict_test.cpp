#include <string>

#include <models/official_state_dict.hpp>

#include <dformer/models.hpp>

namespace dformer {
namespace {

template <class Network>
void expect_official_state_dict(const std::string& model) {
  Network network;
  testing::expect_official_state_dict(network, model);
}

TEST(StateDict, DFormerTiny) {
  expect_official_state_dict<DFormer_Tiny<Count>>("DFormer_Tiny");
}
TEST(StateDict, DFormerSmall) {
  expect_official_state_dict<DFormer_Small<Count>>("DFormer_Small");
}
TEST(StateDict, DFormerBase) {
  expect_official_state_dict<DFormer_Base<Count>>("DFormer_Base");
}
TEST(StateDict, DFormerLarge) {
  expect_official_state_dict<DFormer_Large<Count>>("DFormer_Large");
}
TEST(StateDict, DFormerv2S) {
  expect_official_state_dict<DFormerv2_S<Count>>("DFormerv2_S");
}
TEST(StateDict, DFormerv2B) {
  expect_official_state_dict<DFormerv2_B<Count>>("DFormerv2_B");
}
TEST(StateDict, DFormerv2L) {
  expect_official_state_dict<DFormerv2_L<Count>>("DFormerv2_L");
}

// Quirk: the width of `align` follows the data set and, for DFormerv2, the variant.
TEST(StateDict, WidthOfTheHeadFollowsTheDataSet) {
  EXPECT_EQ((DFormer_Large<Count, NYUDepthv2>().decode_head.align.weight.shape()[0]), 512);
  EXPECT_EQ((DFormer_Large<Count, SUNRGBD>().decode_head.align.weight.shape()[0]), 512);
  EXPECT_EQ((DFormerv2_S<Count, NYUDepthv2>().decode_head.align.weight.shape()[0]), 512);
  EXPECT_EQ((DFormerv2_L<Count, NYUDepthv2>().decode_head.align.weight.shape()[0]), 1024);
  EXPECT_EQ((DFormerv2_S<Count, SUNRGBD>().decode_head.align.weight.shape()[0]), 1024);
  EXPECT_EQ((DFormerv2_S<Count, SUNRGBD>::num_classes), 37);
}

// Quirk: colours enter in the order B, G, R, but for DFormerv2 on SUNRGBD.
TEST(StateDict, ColorOrder) {
  EXPECT_EQ((DFormer_Large<Count, NYUDepthv2>::color_order), ColorOrder::bgr);
  EXPECT_EQ((DFormer_Large<Count, SUNRGBD>::color_order), ColorOrder::bgr);
  EXPECT_EQ((DFormerv2_L<Count, NYUDepthv2>::color_order), ColorOrder::bgr);
  EXPECT_EQ((DFormerv2_L<Count, SUNRGBD>::color_order), ColorOrder::rgb);
}

// Quirk: layer norms have epsilon 1e-6, but for DFormerv2's extra norms with 1e-5.
TEST(StateDict, LayerNormEpsilons) {
  const DFormer_Tiny<Count> v1;
  EXPECT_EQ(v1.backbone.stage0[0].attn.norm.eps, 1e-6f);
  EXPECT_EQ(v1.backbone.stage0[0].mlp.norm.eps, 1e-6f);
  const DFormerv2_S<Count> v2;
  EXPECT_EQ(v2.backbone.stage0[0].layer_norm1.eps, 1e-6f);
  EXPECT_EQ(v2.backbone.extra_norm0.eps, 1e-5f);
  EXPECT_EQ(v2.backbone.extra_norm2.eps, 1e-5f);
}

}  // namespace
}  // namespace dformer
