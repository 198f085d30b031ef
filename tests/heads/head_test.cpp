#include <support/module.hpp>

#include <dformer/heads/fcn_head.hpp>
#include <dformer/heads/ham_head.hpp>
#include <dformer/heads/mlp_head.hpp>

namespace dformer::testing {
namespace {

Features<Tensor> features(const Golden& golden, const TestBackend::Device& device) {
  return {{upload(device, golden.nhwc("input.c1")), upload(device, golden.nhwc("input.c2")),
           upload(device, golden.nhwc("input.c3")), upload(device, golden.nhwc("input.c4"))}};
}

// The fixture's bases: uniform numbers by name, a matrix for every image, columns normalised.
TEST(LightHamHead, MatchesReference) {
  const Golden golden("blocks/head_lightham_eval");
  for (const auto& device : test_devices()) {
    LightHamHead<TestBackend, 12, 16, 24, 7, 24, 32, 8> head;
    load_golden(head, golden, device);
    std::vector<float> bases(2 * 32 * 8);
    random_bases(NamedStream("ham.bases"), 32, 8, bases);
    head.hamburger.bases.set(TestBackend::from_host(device, {2, 32, 8}, bases));
    expect_nchw_output(head(features(golden, device)), golden, "output");
  }
}

TEST(MlpHead, MatchesReference) {
  const Golden golden("blocks/head_mlpdecoder_eval");
  for (const auto& device : test_devices()) {
    MlpHead<TestBackend, 8, 12, 16, 24, 7, 16> head;
    load_golden(head, golden, device);
    expect_nchw_output(head(features(golden, device)), golden, "output");
  }
}

TEST(FcnHead, MatchesReference) {
  const Golden golden("blocks/head_fcn_eval");
  for (const auto& device : test_devices()) {
    FcnHead<TestBackend, 24, 7> head;
    load_golden(head, golden, device);
    Features<Tensor> maps;
    maps[3] = upload(device, golden.nhwc("input.x"));
    expect_nchw_output(head(maps), golden, "output");
  }
}

// Quirk: the norms of a decode head have epsilon 1e-3, set by the official initialisation; those of backbones
// 1e-5.
TEST(Heads, NormsHaveTheHeadsEpsilon) {
  const LightHamHead<TestBackend, 12, 16, 24, 7> ham;
  EXPECT_EQ(ham.squeeze_norm.eps, 1e-3f);
  EXPECT_EQ(ham.align_norm.eps, 1e-3f);
  EXPECT_EQ(ham.hamburger.ham_out_norm.eps, 1e-3f);
  EXPECT_EQ((MlpHead<TestBackend, 8, 12, 16, 24, 7>().linear_fuse_norm.eps), 1e-3f);
  EXPECT_EQ((FcnHead<TestBackend, 24, 7>().conv1.eps), 1e-3f);
  EXPECT_EQ((BatchNorm2d<TestBackend, 8>().eps), 1e-5f);
}

}  // namespace
}  // namespace dformer::testing
