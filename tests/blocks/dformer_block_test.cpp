#include <support/module.hpp>

#include <dformer/blocks/dformer_block.hpp>
#include <dformer/blocks/downsampling.hpp>

namespace dformer::testing {
namespace {

template <class Attention>
void check_attention(const std::string& name) {
  const Golden golden("blocks/" + name);
  for (const auto& device : test_devices()) {
    Attention attention;
    load_golden(attention, golden, device);
    const auto y =
        attention({upload(device, golden.array("input.x")), upload(device, golden.array("input.x_e"))});
    expect_output(y.rgb, golden, "output.x");
    if (y.depth) expect_output(y.depth, golden, "output.x_e");
  }
}

template <int PooledSize, DepthBranch depth>
using Attention = DFormerAttention<TestBackend, 32, 2, PooledSize, depth>;

TEST(DFormerAttention, GlobalAndLocal) {
  check_attention<Attention<7, DepthBranch::goes_on>>("v1_attention_win7_dropdepth0_14x16");
  check_attention<Attention<7, DepthBranch::goes_on>>("v1_attention_win7_dropdepth0_15x13");
}
TEST(DFormerAttention, WithoutWindowThereIsNoGlobalAttention) {
  check_attention<Attention<0, DepthBranch::goes_on>>("v1_attention_win0_dropdepth0_14x16");
  check_attention<Attention<0, DepthBranch::goes_on>>("v1_attention_win0_dropdepth0_15x13");
}
TEST(DFormerAttention, LastBlockHasNoDepthProjection) {
  check_attention<Attention<7, DepthBranch::ends>>("v1_attention_win7_dropdepth1_14x16");
  check_attention<Attention<7, DepthBranch::ends>>("v1_attention_win7_dropdepth1_15x13");
  check_attention<Attention<0, DepthBranch::ends>>("v1_attention_win0_dropdepth1_14x16");
  check_attention<Attention<0, DepthBranch::ends>>("v1_attention_win0_dropdepth1_15x13");
}

template <class Block>
void check_block(const std::string& name) {
  const Golden golden("blocks/" + name);
  for (const auto& device : test_devices()) {
    Block block;
    load_golden(block, golden, device);
    const auto y =
        block({upload(device, golden.array("input.x")), upload(device, golden.array("input.x_e"))});
    expect_output(y.rgb, golden, "output.x");
    EXPECT_EQ(static_cast<bool>(y.depth), Block::has_depth);
    if (Block::has_depth) expect_output(y.depth, golden, "output.x_e");
  }
}

TEST(DFormerBlock, MatchesReference) {
  using Whole = DFormerBlock<TestBackend, 16, 2, 7, 4>;
  check_block<Whole>("v1_block_dropdepth0_14x16");
  check_block<Whole>("v1_block_dropdepth0_15x13");
}
TEST(DFormerBlock, LastBlockOfTheNetworkEndsTheDepthStream) {
  using Last = DFormerBlock<TestBackend, 16, 2, 7, 4, DepthBranch::ends>;
  check_block<Last>("v1_block_dropdepth1_14x16");
  check_block<Last>("v1_block_dropdepth1_15x13");
}
TEST(DFormerBlock, FirstStageHasNoGlobalAttention) {
  using First = DFormerBlock<TestBackend, 16, 1, 0, 8>;
  check_block<First>("v1_block_win0_14x16");
  check_block<First>("v1_block_win0_15x13");
}

TEST(DFormerMlp, MatchesReference) {
  for (const char* name : {"v1_mlp_14x16", "v1_mlp_15x13"}) {
    const Golden golden(std::string("blocks/") + name);
    for (const auto& device : test_devices()) {
      DFormerMlp<TestBackend, 16, 4> mlp;
      load_golden(mlp, golden, device);
      expect_output(mlp(upload(device, golden.array("input.x"))), golden, "output");
    }
  }
}

}  // namespace
}  // namespace dformer::testing
