#include <support/module.hpp>

#include <dformer/stages/dformer.hpp>
#include <dformer/stages/dformer_v2.hpp>

namespace dformer::testing {
namespace {

constexpr DFormerConfig mini{
    .dims = {8, 16, 24, 32}, .depths = {1, 2, 1, 2}, .num_heads = {1, 2, 2, 4}, .mlp_ratios = {8, 8, 4, 4}};
constexpr DFormerV2Config mini_v2{.dims = {8, 16, 24, 32},
                                  .depths = {1, 1, 2, 1},
                                  .num_heads = {2, 2, 3, 4},
                                  .heads_ranges = {4, 4, 6, 6},
                                  .layer_scales = {false, false, true, true}};

// Only channel 0 of the reference's depth input is used.
Tensor depth_channel(const TestBackend::Device& device, const Golden& golden) {
  const Array nhwc = golden.nhwc("input.depth");
  Array depth{nhwc.shape.with_back(1), {}};
  for (std::size_t i = 0; i < nhwc.values.size(); i += 3) depth.values.push_back(nhwc.values[i]);
  return upload(device, depth);
}

template <class Backbone>
void check_backbone(const std::string& name) {
  const Golden golden("blocks/" + name);
  for (const auto& device : test_devices()) {
    Backbone backbone;
    load_golden(backbone, golden, device);
    const Features<Tensor> y =
        backbone(upload(device, golden.nhwc("input.rgb")), depth_channel(device, golden));
    for (std::size_t level = 0; level < 4; ++level) {
      expect_nchw_output(y[level], golden, "output.f" + std::to_string(level));
    }
  }
}

TEST(DFormer, MiniatureMatchesReference) {
  check_backbone<DFormer<TestBackend, mini>>("mini_dformer_v1_eval");
}
TEST(DFormerV2, MiniatureMatchesReference) {
  check_backbone<DFormerV2<TestBackend, mini_v2>>("mini_dformer_v2_eval");
}

template <class Backbone>
void check_any_size() {
  Backbone backbone;
  const auto& device = TestBackend::default_device();
  initialize(backbone, 1, device);
  for (const auto& [height, width] : {std::pair{1, 1}, {7, 130}, {33, 31}, {64, 5}}) {
    const Array rgb{{1, height, width, 3},
                    std::vector<float>(static_cast<std::size_t>(height * width * 3), 0.5f)};
    const Array depth{{1, height, width, 1},
                      std::vector<float>(static_cast<std::size_t>(height * width), 0.1f)};
    const Features<Tensor> y = backbone(upload(device, rgb), upload(device, depth));
    for (int level = 0; level < 4; ++level) {
      const int step = 4 << level;
      EXPECT_EQ(y[static_cast<std::size_t>(level)].shape(),
                (Shape{1, (height + step - 1) / step, (width + step - 1) / step,
                       Backbone::feature_channels[static_cast<std::size_t>(level)]}));
      for (float value : download(y[static_cast<std::size_t>(level)]).values)
        ASSERT_TRUE(std::isfinite(value));
    }
  }
}

TEST(DFormer, TakesAnySize) {
  check_any_size<DFormer<TestBackend, mini>>();
}
TEST(DFormerV2, TakesAnySize) {
  check_any_size<DFormerV2<TestBackend, mini_v2>>();
}

TEST(Backbones, RefuseInputsOfAnotherKind) {
  DFormer<TestBackend, mini> backbone;
  const auto& device = TestBackend::default_device();
  const auto zeros = [&](const Shape& shape) {
    return upload(device, {shape, std::vector<float>(static_cast<std::size_t>(shape.numel()))});
  };
  try {
    backbone(zeros({1, 32, 32, 3}), zeros({1, 32, 31, 1}));
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(),
                 "[backbone] colour [N, H, W, 3] and depth [N, H, W, 1] of the same size expected; got "
                 "(1, 32, 32, 3) (1, 32, 31, 1)");
  }
  EXPECT_THROW(backbone(zeros({1, 32, 32, 4}), zeros({1, 32, 32, 1})), ShapeError);
  EXPECT_THROW(backbone(zeros({1, 0, 32, 3}), zeros({1, 0, 32, 1})), ShapeError);
  EXPECT_THROW(backbone(zeros({1, 32, 32, 3}), zeros({1, 32, 32, 1})), UnsetParameterError);
}

}  // namespace
}  // namespace dformer::testing
