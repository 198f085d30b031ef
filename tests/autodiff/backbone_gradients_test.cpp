#include <autodiff/golden_gradients.hpp>

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

template <class Backbone>
void check_backbone(const std::string& name) {
  const Golden golden("blocks/" + name);
  check_golden_gradients<Backbone>(name, [&](const Backbone& backbone, GoldenRun& run) {
    // Only channel 0 of the reference's depth input is used. Images have no gradient here.
    const auto& device = device_of(backbone);
    const Array nhwc = golden.nhwc("input.depth");
    Array depth{nhwc.shape.with_back(1), {}};
    for (std::size_t i = 0; i < nhwc.values.size(); i += 3) depth.values.push_back(nhwc.values[i]);
    const auto y = backbone(Leaf(upload(device, golden.nhwc("input.rgb"))), Leaf(upload(device, depth)));
    for (std::size_t level = 0; level < 4; ++level) run.nchw_output(".f" + std::to_string(level), y[level]);
  });
}

TEST(DFormerGradients, WithRunningStatistics) {
  check_backbone<DFormer<Recorded<Evaluation>, mini>>("mini_dformer_v1_eval");
}
TEST(DFormerGradients, WithStatisticsOfTheBatch) {
  check_backbone<DFormer<Recorded<Training>, mini>>("mini_dformer_v1_train");
}
TEST(DFormerGradients, WithCheckpointedBlocks) {
  check_backbone<DFormer<Recorded<CheckpointedTraining>, mini>>("mini_dformer_v1_train");
}
TEST(DFormerV2Gradients, WithRunningStatistics) {
  check_backbone<DFormerV2<Recorded<Evaluation>, mini_v2>>("mini_dformer_v2_eval");
}
TEST(DFormerV2Gradients, WithStatisticsOfTheBatch) {
  check_backbone<DFormerV2<Recorded<Training>, mini_v2>>("mini_dformer_v2_train");
}
TEST(DFormerV2Gradients, WithCheckpointedBlocks) {
  check_backbone<DFormerV2<Recorded<CheckpointedTraining>, mini_v2>>("mini_dformer_v2_train");
}

}  // namespace
}  // namespace dformer::testing
