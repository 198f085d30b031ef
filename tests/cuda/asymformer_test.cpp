// AsymFormer on the backend Cuda beside a recorded run of the official code, in three precisions.
#include <cmath>
#include <vector>

#include <support/filled.hpp>

#include <dformer/io/parity_comparison.hpp>
#include <dformer/models/asymformer.hpp>

namespace dformer::testing {
namespace {

/// The largest difference of the logits of 64 x 96 from the recorded ones, over the largest of these.
template <class Scalar>
double logits_difference() {
  using B = Cuda<Scalar>;
  const Golden golden("asymformer/eval.1x64x96");
  const cuda::Device device;
  AsymFormer<B> network;
  fill_parameters(network, fill_parameter, device);
  const Array rgb = filled_image("input.rgb", {1, 3, 64, 96}, 2.0f);
  const Array depth = filled_image("input.depth", {1, 1, 64, 96}, 1.0f);
  const auto scores =
      network(B::from_host(device, rgb.shape, rgb.values), B::from_host(device, depth.shape, depth.values));
  const auto logits = B::resize_bilinear(scores, 64, 96, false);
  Array found{logits.shape(), std::vector<float>(static_cast<std::size_t>(logits.shape().numel()))};
  B::to_host(logits, found.values);
  found = to_nchw(found);
  const Array expected = golden.array("out");
  double worst = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double difference =
        std::abs(static_cast<double>(found.values[i]) - static_cast<double>(expected.values[i]));
    if (!(difference <= worst)) worst = difference;
  }
  return worst / static_cast<double>(expected.max_abs());
}

constexpr AsymFormerConfig mini{.rgb_dims = {16, 32, 48, 64},
                                .rgb_depths = {1, 1, 1, 1},
                                .depth_dims = {8, 16, 16, 32},
                                .depth_depths = {1, 1, 1, 1},
                                .num_heads = {1, 2, 2, 4}};

// Its two streams go on side by side, in each order that the graph leaves open.
TEST(AsymFormerOnCuda, CapturedGivesTheSame) {
  using B = TestBackend;
  for (const auto& device : test_devices()) {
    Segmenter<B, AsymFormerEncoder<B, mini>, MlpHead<B, 8, 16, 16, 32, 5, 16, MlpHeadOf::asymformer>,
              asymformer_conventions>
        network;
    fill_parameters(network, fill_parameter, device);
    cuda::Captured captured(network, {1, 32, 64});
    const Array rgb = filled_image("rgb", {1, 3, 32, 64}, 2.0f),
                depth = filled_image("depth", {1, 1, 32, 64}, 1.0f);
    const Array found = download(captured(rgb.values, depth.values));
    const Array expected = download(network(upload(device, rgb), upload(device, depth)));
    EXPECT_EQ(found.values, expected.values);
    EXPECT_GT(expected.max_abs(), 0.0f);
  }
}

TEST(AsymFormerOnCuda, MeetsTheRecordedRun) {
  EXPECT_LT(logits_difference<float>(), 1e-4);
}
TEST(AsymFormerOnCuda, InHalf) {
  EXPECT_LT(logits_difference<half>(), logits_bound<half>);
}
TEST(AsymFormerOnCuda, InBfloat16) {
  EXPECT_LT(logits_difference<bfloat16>(), logits_bound<bfloat16>);
}

}  // namespace
}  // namespace dformer::testing
