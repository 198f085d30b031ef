#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/io/key_map.hpp>
#include <dformer/io/load_report.hpp>

namespace dformer {
namespace {

bool can_become(std::string_view name, std::string_view other) {
  const std::vector<std::string> candidates = candidate_keys(name);
  return std::ranges::find(candidates, other) != candidates.end();
}

TEST(KeyMap, TheNameItselfComesFirst) {
  EXPECT_EQ(candidate_keys("module.backbone.norm.weight").front(), "module.backbone.norm.weight");
}

TEST(KeyMap, PrefixesMayBeCombined) {
  EXPECT_TRUE(can_become("module.backbone.stages.0.weight", "stages.0.weight"));
  EXPECT_TRUE(can_become("model.module.stages.0.weight", "backbone.stages.0.weight"));
  EXPECT_TRUE(can_become("module.model.decode_head.conv_seg.bias", "decode_head.conv_seg.bias"));
  EXPECT_TRUE(can_become("stages.0.weight", "backbone.stages.0.weight"));
  EXPECT_FALSE(can_become("remodel.x", "x"));
}

TEST(KeyMap, JittorNamesBecomeTorchNames) {
  EXPECT_TRUE(can_become("backbone.layers.2.blocks.0.gamma1", "backbone.layers.2.blocks.0.gamma_1"));
  EXPECT_TRUE(can_become("decode_head.squeeze.norm.running_mean", "decode_head.squeeze.bn.running_mean"));
  EXPECT_TRUE(can_become("module.decode_head.cls_seg.weight", "decode_head.conv_seg.weight"));
  EXPECT_FALSE(can_become("backbone.norm_e.weight", "backbone.bn_e.weight")) << "whole segments only";
}

TEST(KeyMap, KnowsAsymFormersFirstNames) {
  EXPECT_TRUE(can_become("module.down_sample_2.SCC.conv1.weight", "down_sample_2.SCC.conv_bn.0.weight"));
  EXPECT_TRUE(can_become("down_sample_4.SCC.bn.running_mean", "down_sample_4.SCC.conv_bn.1.running_mean"));
  EXPECT_EQ(from_jittor_key("down_sample_4.SCC.bn.weight"), "down_sample_4.SCC.bn.weight");
  EXPECT_FALSE(can_become("decode_head.squeeze.bn.weight", "decode_head.squeeze.conv_bn.1.weight"));
  EXPECT_TRUE(can_become("downsample_layers.2.1.bias", "down_sample_3.rgb_stem.1.bias"));
  EXPECT_TRUE(can_become("module.stages.3.2.gamma", "down_sample_4.rgb_layer.2.gamma"));
}

TEST(KeyMap, ConvertingKnowsWhereJittorHasItsNames) {
  const std::pair<std::string, std::string> names[] = {
      {"decode_head.hamburger.ham_out.norm.running_var", "decode_head.hamburger.ham_out.bn.running_var"},
      {"aux_head.convs.0.norm.weight", "aux_head.convs.0.bn.weight"},
      {"model.decode_head.cls_seg.bias", "model.decode_head.conv_seg.bias"},
      {"backbone.layers.3.blocks.1.gamma2", "backbone.layers.3.blocks.1.gamma_2"}};
  for (const auto& [jittor, official] : names) {
    EXPECT_EQ(from_jittor_key(jittor), official);
    EXPECT_EQ(to_jittor_key(official), jittor);
  }
  for (const char* same : {"backbone.stages.1.0.attn.norm.weight", "backbone.layers.0.downsample.norm.bias",
                           "decode_head.align.conv.weight", "my_decode_head.norm.weight", ""}) {
    EXPECT_EQ(from_jittor_key(same), same);
    EXPECT_EQ(to_jittor_key(same), same);
  }
}

TEST(KeyMap, KnowsWhatMayBeIgnored) {
  EXPECT_TRUE(is_ignorable_key("backbone.norm0.weight"));
  EXPECT_TRUE(is_ignorable_key("backbone.norm3.bias"));
  EXPECT_TRUE(is_ignorable_key("x.num_batches_tracked"));
  EXPECT_TRUE(is_ignorable_key("backbone.layers.0.blocks.1.Geo.angle"));
  EXPECT_TRUE(is_ignorable_key("down_sample_3.SCC.cross_atten.midc1"));
  EXPECT_TRUE(is_ignorable_key("down_sample_3.SCC.fus_atten.inc"));
  EXPECT_FALSE(is_ignorable_key("down_sample_3.SCC.fus_atten.fc_spatial.0.weight"));
  EXPECT_FALSE(is_ignorable_key("backbone.norm4.weight"));
  EXPECT_FALSE(is_ignorable_key("backbone.norm.weight"));
  EXPECT_FALSE(is_ignorable_key("backbone.layers.0.blocks.1.Geo.weight"));
}

TEST(LoadReport, NearestNamesAreNear) {
  const std::vector<std::string> names{"decode_head.cls.weight", "backbone.stem.weight",
                                       "backbone.stem.bias"};
  EXPECT_EQ(nearest_name("backbone.stem.weights", names), "backbone.stem.weight");
  EXPECT_EQ(nearest_name("decode_head.align.conv.weight", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
  EXPECT_EQ(nearest_name("abc", {"abd", "abc"}), "abc");
}

TEST(LoadReport, TextNamesEverything) {
  LoadReport report;
  report.path = "file.pth";
  report.source = "safetensors";
  report.applied = {"a", "b"};
  report.renamed = {{"module.a", "a"}};
  report.missing = {{"c", {2, 3}, "d"}};
  report.unused = {"d"};
  report.mismatched = {{"e", {1}, {2}}};
  report.ignored = {"f"};
  report.outside = {"g"};
  EXPECT_EQ(to_string(report),
            "file.pth (safetensors): 2 tensors applied, 1 of them renamed, 1 ignored, 1 of the network left "
            "as they were\n"
            "  missing, in the network but not in the file: 1\n    c (2, 3); the file has d\n"
            "  unused, in the file but not in the network: 1\n    d\n"
            "  mismatched, with another shape in the file: 1\n    e: file (1), network (2)");
}

}  // namespace
}  // namespace dformer
