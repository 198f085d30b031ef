#include <support/module.hpp>

#include <dformer/blocks/dformer_v2_block.hpp>
#include <dformer/blocks/downsampling.hpp>

namespace dformer::testing {
namespace {

template <class Block>
void check_block(const std::string& name) {
  const Golden golden("blocks/" + name);
  for (const auto& device : test_devices()) {
    Block block;
    load_golden(block, golden, device);
    const Tensor x = upload(device, golden.array("input.x"));
    const Tensor depth = upload(device, golden.nhwc("input.x_e"));
    const Tensor grid = TestBackend::resize_bilinear(depth, x.shape()[1], x.shape()[2], false);
    expect_output(block(x, grid), golden, "output");
  }
}

template <GeometryAttention kind, LayerScale scale>
using Block = DFormerV2Block<TestBackend, 16, 2, 2, kind == GeometryAttention::full ? 6 : 4, kind, scale>;

TEST(DFormerV2Block, Decomposed) {
  check_block<Block<GeometryAttention::decomposed, LayerScale::without>>("v2_block_decomposed_ls0_14x16");
  check_block<Block<GeometryAttention::decomposed, LayerScale::without>>("v2_block_decomposed_ls0_15x13");
}
TEST(DFormerV2Block, DecomposedWithLayerScale) {
  check_block<Block<GeometryAttention::decomposed, LayerScale::with>>("v2_block_decomposed_ls1_14x16");
  check_block<Block<GeometryAttention::decomposed, LayerScale::with>>("v2_block_decomposed_ls1_15x13");
}
TEST(DFormerV2Block, Full) {
  check_block<Block<GeometryAttention::full, LayerScale::without>>("v2_block_full_ls0_6x7");
  check_block<Block<GeometryAttention::full, LayerScale::with>>("v2_block_full_ls1_6x7");
}

TEST(DFormerV2Mlp, MatchesReference) {
  for (const char* name : {"v2_ffn_14x16", "v2_ffn_15x13"}) {
    const Golden golden(std::string("blocks/") + name);
    for (const auto& device : test_devices()) {
      DFormerV2Mlp<TestBackend, 16, 48> mlp;
      load_golden(mlp, golden, device);
      expect_output(mlp(upload(device, golden.array("input.x"))), golden, "output");
    }
  }
}

// The tables that a network without a checkpoint starts with must be those that the official model computes.
TEST(GeometryPriorGenerator, TablesAreThoseOfTheReference) {
  for (const char* name : {"v2_geo_full_6x5", "v2_geo_decomposed_14x16", "v2_geo_decomposed_15x13"}) {
    const Golden golden(std::string("blocks/") + name);
    GeometryPriorGenerator<TestBackend, 32, 2, 4> geo;
    initialize(geo, 1);
    const Array angle = golden.array("buffer.angle");
    const Array decay = golden.array("buffer.decay");
    expect_close(download(geo.angle.value()), angle, 0, "angle");
    expect_close(download(geo.decay.value()), decay, 1e-7, "decay");
  }
}

TEST(PatchEmbed, MatchesReference) {
  const Golden golden("blocks/v2_patch_embed_eval");
  for (const auto& device : test_devices()) {
    PatchEmbed<TestBackend, 3, 16> embed;
    load_golden(embed, golden, device);
    expect_output(embed(upload(device, golden.nhwc("input.x"))), golden, "output");
  }
}

TEST(PatchMerging, MatchesReference) {
  const Golden golden("blocks/v2_patch_merging_eval");
  for (const auto& device : test_devices()) {
    PatchMerging<TestBackend, 16, 24> merging;
    load_golden(merging, golden, device);
    expect_output(merging(upload(device, golden.array("input.x"))), golden, "output");
  }
}

}  // namespace
}  // namespace dformer::testing
