#include <support/filled.hpp>

#include <dformer/blocks/convnext_block.hpp>
#include <dformer/blocks/cross_modal_fusion.hpp>
#include <dformer/blocks/mix_transformer_block.hpp>
#include <dformer/heads/mlp_head.hpp>

namespace dformer::testing {
namespace {

/// run(module, image) gives the module's result; image(key) is an input of the fixture. Results and inputs
/// without height and width, tokens, are compared and given as the fixture has them.
template <class Module, class Run>
void expect_recorded(const std::string& name, const Run& run) {
  SCOPED_TRACE(name);
  const Golden golden("asymformer/block." + name + ".eval");
  for (const auto& device : test_devices()) {
    Module module;
    fill_module(module, golden.text("param_prefix"), device);
    const Array expected = golden.nhwc("output.out");
    const auto image = [&](const std::string& key) { return upload(device, golden.nhwc("input." + key)); };
    const Tensor y = TestBackend::reshape(run(module, image), expected.shape);
    expect_close(download(y), expected, block_tolerance(golden, expected), name);
  }
}

/// For modules of one image.
constexpr auto of_x = [](const auto& module, const auto& image) { return module(image("x")); };

TEST(ConvNeXtBlock, MatchesReference) {
  expect_recorded<ConvNeXtBlock<TestBackend, 24>>("convnext_block", of_x);
}
TEST(ConvNeXtDownsample, MatchesReference) {
  expect_recorded<ConvNeXtDownsample<TestBackend, 16, 24>>("convnext_downsample", of_x);
}

TEST(OverlapPatchEmbed, MatchesReference) {
  expect_recorded<OverlapPatchEmbed<TestBackend, 1, 16, 7, 4>>("patch_embed_7_4", of_x);
  expect_recorded<OverlapPatchEmbed<TestBackend, 12, 20, 3, 2>>("patch_embed_3_2", of_x);
}

TEST(MixTransformerBlock, MatchesReference) {
  expect_recorded<MixTransformerBlock<TestBackend, 32, 2, 2, 4>>(
      "mit_block_sr2", [](const auto& block, const auto& tokens) {
        return block(TestBackend::reshape(tokens("x"), {2, 8, 12, 32}));
      });
  expect_recorded<MixTransformerBlock<TestBackend, 40, 5, 1, 4>>(
      "mit_block_sr1", [](const auto& block, const auto& tokens) {
        return block(TestBackend::reshape(tokens("x"), {1, 5, 7, 40}));
      });
}

TEST(FeatureSelection, MatchesReference) {
  expect_recorded<FeatureSelection<TestBackend, 48>>("lafs", of_x);
}

TEST(CrossModalAttention, MatchesReference) {
  expect_recorded<CrossModalAttention<TestBackend, 16, 48>>(
      "cma", [](const auto& cma, const auto& image) { return cma(image("x1"), image("x2"), image("x")); });
}

TEST(CrossModalFusion, MatchesReference) {
  expect_recorded<CrossModalFusion<TestBackend, 16, 48>>(
      "scc", [](const auto& fusion, const auto& image) { return fusion(image("depth"), image("rgb")); });
}

TEST(AsymFormerHead, MatchesReference) {
  expect_recorded<MlpHead<TestBackend, 8, 12, 20, 28, 7, 16, MlpHeadOf::asymformer>>(
      "decoder", [](const auto& head, const auto& image) {
        return head({{image("c1"), image("c2"), image("c3"), image("c4")}});
      });
}

}  // namespace
}  // namespace dformer::testing
