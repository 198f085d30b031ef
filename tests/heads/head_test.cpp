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

/// The same from a head whose number of classes is no part of its type.
template <class Head>
void expect_reference_of_any_classes(Features<Tensor> maps, const Golden& golden) {
  Head head(7);
  EXPECT_EQ(head.num_classes, 7);
  load_golden(head, golden, TestBackend::default_device());
  expect_nchw_output(head(maps), golden, "output");
  EXPECT_THROW(Head(1), ArgumentError);
  EXPECT_THROW(Head(256), ArgumentError);
}

TEST(Heads, TheNumberOfClassesMayBeGivenLater) {
  const auto& device = TestBackend::default_device();
  const Golden mlp("blocks/head_mlpdecoder_eval");
  expect_reference_of_any_classes<MlpHead<TestBackend, 8, 12, 16, 24, any_classes, 16>>(features(mlp, device),
                                                                                        mlp);
  const Golden fcn("blocks/head_fcn_eval");
  Features<Tensor> maps;
  maps[3] = upload(device, fcn.nhwc("input.x"));
  expect_reference_of_any_classes<FcnHead<TestBackend, 24, any_classes>>(maps, fcn);
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
