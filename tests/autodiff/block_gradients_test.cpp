#include <autodiff/golden_gradients.hpp>

#include <dformer/blocks/dformer_block.hpp>
#include <dformer/blocks/dformer_v2_block.hpp>
#include <dformer/blocks/downsampling.hpp>

namespace dformer::testing {
namespace {

using B = Recorded<Evaluation>;

template <class Module>
void check_pair(const std::string& name) {
  check_golden_gradients<Module>(name, [](const Module& module, GoldenRun& run) {
    const auto y = module({run.input("x"), run.input("x_e")});
    run.output(".x", y.rgb);
    if (y.depth) run.output(".x_e", y.depth);
  });
}
template <class Module>
void check_single(const std::string& name) {
  check_golden_gradients<Module>(
      name, [](const Module& module, GoldenRun& run) { run.output("", module(run.input("x"))); });
}

// The reference's last block hands on a depth stream that nobody reads, and its fixtures put a gradient into
// it, so they say nothing of a block that has none. The whole backbones have such a last block.
template <int PooledSize, DepthBranch depth>
using Attention = DFormerAttention<B, 32, 2, PooledSize, depth>;

TEST(DFormerAttentionGradients, MatchReference) {
  check_pair<Attention<7, DepthBranch::goes_on>>("v1_attention_win7_dropdepth0_14x16");
  check_pair<Attention<7, DepthBranch::goes_on>>("v1_attention_win7_dropdepth0_15x13");
  check_pair<Attention<0, DepthBranch::goes_on>>("v1_attention_win0_dropdepth0_14x16");
  check_pair<Attention<0, DepthBranch::goes_on>>("v1_attention_win0_dropdepth0_15x13");
}

TEST(DFormerBlockGradients, MatchReference) {
  check_pair<DFormerBlock<B, 16, 2, 7, 4>>("v1_block_dropdepth0_14x16");
  check_pair<DFormerBlock<B, 16, 2, 7, 4>>("v1_block_dropdepth0_15x13");
  check_pair<DFormerBlock<B, 16, 1, 0, 8>>("v1_block_win0_15x13");
}

TEST(DFormerMlpGradients, MatchReference) {
  check_single<DFormerMlp<B, 16, 4>>("v1_mlp_14x16");
  check_single<DFormerMlp<B, 16, 4>>("v1_mlp_15x13");
}

template <GeometryAttention kind, LayerScale scale>
void check_v2_block(const std::string& name) {
  using Block = DFormerV2Block<B, 16, 2, 2, kind == GeometryAttention::full ? 6 : 4, kind, scale>;
  const Golden golden("blocks/" + name);
  check_golden_gradients<Block>(name, [&](const Block& block, GoldenRun& run) {
    const Leaf x = run.input("x");
    // Images have no gradient here: the reference's of depth is not compared.
    const Leaf depth(upload(x.device(), golden.nhwc("input.x_e")));
    run.output("", block(x, B::resize_bilinear(depth, x.shape()[1], x.shape()[2], false)));
  });
}

TEST(DFormerV2BlockGradients, MatchReference) {
  constexpr auto decomposed = GeometryAttention::decomposed;
  constexpr auto full = GeometryAttention::full;
  check_v2_block<decomposed, LayerScale::without>("v2_block_decomposed_ls0_14x16");
  check_v2_block<decomposed, LayerScale::without>("v2_block_decomposed_ls0_15x13");
  check_v2_block<decomposed, LayerScale::with>("v2_block_decomposed_ls1_14x16");
  check_v2_block<decomposed, LayerScale::with>("v2_block_decomposed_ls1_15x13");
  check_v2_block<full, LayerScale::without>("v2_block_full_ls0_6x7");
  check_v2_block<full, LayerScale::with>("v2_block_full_ls1_6x7");
}

TEST(DFormerV2MlpGradients, MatchReference) {
  check_single<DFormerV2Mlp<B, 16, 48>>("v2_ffn_14x16");
  check_single<DFormerV2Mlp<B, 16, 48>>("v2_ffn_15x13");
}

template <class Mode>
void check_downsampling(const std::string& mode) {
  using Embed = PatchEmbed<Recorded<Mode>, 3, 16>;
  using Merging = PatchMerging<Recorded<Mode>, 16, 24>;
  check_golden_gradients<Embed>("v2_patch_embed_" + mode, [](const Embed& embed, GoldenRun& run) {
    run.output("", embed(run.nchw_input("x")));
  });
  check_golden_gradients<Merging>("v2_patch_merging_" + mode, [](const Merging& merging, GoldenRun& run) {
    run.output("", merging(run.input("x")));
  });
}
TEST(DownsamplingGradients, WithRunningStatistics) {
  check_downsampling<Evaluation>("eval");
}
TEST(DownsamplingGradients, WithStatisticsOfTheBatch) {
  check_downsampling<Training>("train");
}

}  // namespace
}  // namespace dformer::testing
