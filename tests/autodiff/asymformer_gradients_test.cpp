#include <algorithm>
#include <string>
#include <vector>

#include <autodiff/golden_gradients.hpp>
#include <support/filled.hpp>

#include <dformer/blocks/convnext_block.hpp>
#include <dformer/blocks/cross_modal_fusion.hpp>
#include <dformer/blocks/mix_transformer_block.hpp>
#include <dformer/heads/mlp_head.hpp>

namespace dformer::testing {
namespace {

/// A thousandth of the largest: some gradients are so small that what is allowed of results would hide them.
/// Of one that is 0 but for rounding there is no such share.
double share_of_largest(const Golden& golden, const std::string& name, const Array& expected) {
  if (golden.has_text("structurally_zero_gradient")) {
    const std::vector<std::string> zero = golden.json("structurally_zero_gradient");
    if (std::ranges::find(zero, name) != zero.end()) return block_tolerance(golden, expected);
  }
  return 1e-3 * static_cast<double>(expected.max_abs()) + 1e-7;
}

/// run(module, golden run) for each device, with parameters drawn by name.
template <class Module, class Run>
void check_gradients_of(const std::string& name, const Run& run) {
  SCOPED_TRACE(name);
  const Golden golden("asymformer/block." + name);
  for (const auto& device : test_devices()) {
    Module module;
    fill_module(module, golden.text("param_prefix"), device);
    GoldenRun golden_run(
        golden, device,
        {.of_input = "grad_input.", .of_parameter = "grad.", .parameter_tolerance = share_of_largest});
    run(module, golden_run);
    golden_run.compare(module);
  }
}

/// Of modules of one image.
constexpr auto of_x = [](const auto& module, GoldenRun& run) {
  run.nchw_output(".out", module(run.nchw_input("x")));
};
/// Of modules of tokens, which the fixture has without height and width.
template <class B>
auto of_tokens(const Shape& image) {
  return [image](const auto& module, GoldenRun& run) {
    const Leaf tokens = run.input("x");
    run.output(".out", B::reshape(module(B::reshape(tokens, image)), tokens.shape()));
  };
}

TEST(AsymFormerGradients, ConvNeXt) {
  using B = Recorded<Evaluation>;
  check_gradients_of<ConvNeXtBlock<B, 24>>("convnext_block.eval", of_x);
  check_gradients_of<ConvNeXtDownsample<B, 16, 24>>("convnext_downsample.eval", of_x);
}

TEST(AsymFormerGradients, MixTransformer) {
  using B = Recorded<Evaluation>;
  check_gradients_of<MixTransformerBlock<B, 32, 2, 2, 4>>("mit_block_sr2.eval", of_tokens<B>({2, 8, 12, 32}));
  check_gradients_of<MixTransformerBlock<B, 40, 5, 1, 4>>("mit_block_sr1.eval", of_tokens<B>({1, 5, 7, 40}));
  const auto embedded = [](std::int64_t channels) {
    return [channels](const auto& module, GoldenRun& run) {
      const Leaf y = module(run.nchw_input("x"));
      run.output(".out", B::reshape(y, {y.shape()[0], y.shape()[1] * y.shape()[2], channels}));
    };
  };
  check_gradients_of<OverlapPatchEmbed<B, 1, 16, 7, 4>>("patch_embed_7_4.eval", embedded(16));
  check_gradients_of<OverlapPatchEmbed<B, 12, 20, 3, 2>>("patch_embed_3_2.eval", embedded(20));
}

TEST(AsymFormerGradients, FeatureSelection) {
  check_gradients_of<FeatureSelection<Recorded<Evaluation>, 48>>("lafs.eval", of_x);
}

template <class Mode>
void check_cross_modal(const std::string& mode) {
  using B = Recorded<Mode>;
  check_gradients_of<CrossModalAttention<B, 16, 48>>("cma." + mode, [](const auto& cma, GoldenRun& run) {
    run.nchw_output(".out", cma(run.nchw_input("x1"), run.nchw_input("x2"), run.nchw_input("x")));
  });
  check_gradients_of<CrossModalFusion<B, 16, 48>>("scc." + mode, [](const auto& fusion, GoldenRun& run) {
    run.nchw_output(".out", fusion(run.nchw_input("depth"), run.nchw_input("rgb")));
  });
}
TEST(AsymFormerGradients, CrossModalAttention) {
  check_cross_modal<Evaluation>("eval");
  check_cross_modal<Training>("train");
}

template <class Mode>
void check_head(const std::string& mode) {
  using Head = MlpHead<Recorded<Mode>, 8, 12, 20, 28, 7, 16, MlpHeadOf::asymformer>;
  check_gradients_of<Head>("decoder." + mode, [](Head& head, GoldenRun& run) {
    head.dropout.p = 0.0f;
    run.nchw_output(
        ".out",
        head({{run.nchw_input("c1"), run.nchw_input("c2"), run.nchw_input("c3"), run.nchw_input("c4")}}));
  });
}
TEST(AsymFormerGradients, Head) {
  check_head<Evaluation>("eval");
  check_head<Training>("train");
}

}  // namespace
}  // namespace dformer::testing
