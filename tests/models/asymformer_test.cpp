#include <string>
#include <vector>

#include <models/official_state_dict.hpp>
#include <support/filled.hpp>

#include <dformer/models/asymformer.hpp>
#include <dformer/models/cost.hpp>

namespace dformer::testing {
namespace {

TEST(AsymFormer, HasTheOfficialStateDict) {
  AsymFormer<Count> network;
  expect_official_state_dict(network, "AsymFormer");
}

// Its authors say 39.4 G: as many as the layers and the fusion's attention with values as narrow as they are.
TEST(AsymFormer, CostsWhatItsLayersSay) {
  const Cost whole = cost<AsymFormer<Count>>(480, 640);
  EXPECT_EQ(whole.parameters, 33'059'576);
  EXPECT_NEAR(static_cast<double>(whole.multiply_adds.dense), 35.98e9, 0.01e9);
  EXPECT_NEAR(static_cast<double>(whole.multiply_adds.total()), 42.45e9, 0.01e9);
}

TEST(AsymFormer, AsksForMultiplesOf32) {
  AsymFormer<Count> network;
  try {
    cost_of(network, 480, 650);
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_EQ(std::string(error.what()),
              "[backbone] height and width must be multiples of 32; got (1, 480, 650, 3): resize or pad the "
              "images");
  }
}

TEST(AsymFormer, SpreadsDropPathOverBothStreams) {
  AsymFormer<TestBackend> network;
  network.set_drop_path(0.3f);
  EXPECT_EQ(network.backbone.down_sample_1.rgb_layer[0].drop_path, 0.0f);
  EXPECT_FLOAT_EQ(network.backbone.down_sample_2.rgb_layer[0].drop_path, 0.3f * 3 / 17);
  EXPECT_FLOAT_EQ(network.backbone.down_sample_4.rgb_layer[2].drop_path, 0.3f);
  EXPECT_EQ(network.backbone.down_sample_1.depth_layer[0].drop_path, 0.0f);
  EXPECT_FLOAT_EQ(network.backbone.down_sample_4.depth_layer[1].drop_path, 0.1f);
}

/// The values of a tensor at the places, of channels first, that a fixture keeps.
Array at_places(const Tensor& y, const Array& places) {
  const Array all = to_nchw(download(y));
  Array found{places.shape, {}};
  for (const float place : places.values) found.values.push_back(all.values[static_cast<std::size_t>(place)]);
  return found;
}

void expect_recorded_run(const std::string& size, std::int64_t images, std::int64_t height,
                         std::int64_t width) {
  SCOPED_TRACE(size);
  const Golden golden("asymformer/eval." + size);
  const TestBackend::Device device;
  AsymFormer<TestBackend> network;
  fill_module(network, "", device);
  const Tensor rgb = upload(device, filled_image("input.rgb", {images, 3, height, width}, 2.0f));
  const Tensor depth = upload(device, filled_image("input.depth", {images, 1, height, width}, 1.0f));

  Tensor rgb_stream = rgb, depth_stream = depth;
  const auto expect_stage = [&](const auto& stage, int number) {
    stage(rgb_stream, depth_stream);
    for (const bool fused : {false, true}) {
      const std::string key = "stage" + std::to_string(number) + (fused ? ".fused_" : ".rgb_");
      const Array expected = golden.array(key + "val");
      expect_close(at_places(fused ? depth_stream : rgb_stream, golden.array(key + "idx")), expected,
                   block_tolerance(golden, expected), key);
    }
  };
  const auto& backbone = network.backbone;
  expect_stage(backbone.down_sample_1, 1);
  expect_stage(backbone.down_sample_2, 2);
  expect_stage(backbone.down_sample_3, 3);
  expect_stage(backbone.down_sample_4, 4);

  const Tensor scores = network(rgb, depth);
  const Tensor logits = TestBackend::resize_bilinear(scores, height, width, false);
  if (golden.has("out")) {
    const Array expected = golden.array("out");
    expect_close(to_nchw(download(logits)), expected, block_tolerance(golden, expected), "out");
  } else {
    const Array expected = golden.array("out_val");
    expect_close(at_places(logits, golden.array("out_idx")), expected, block_tolerance(golden, expected),
                 "out");
  }

  std::vector<std::uint8_t> labels(static_cast<std::size_t>(images * height * width));
  TestBackend::labels_to_host(network.labels(rgb, depth), labels);
  const Array best = golden.array("argmax"), sure = golden.array("argmax_sure");
  std::size_t compared = 0, wrong = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (sure.values[i] == 0.0f) continue;
    ++compared;
    wrong += static_cast<float>(labels[i]) != best.values[i] ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(compared, labels.size() * 9 / 10);
}

TEST(AsymFormer, MeetsTheRecordedRuns) {
  expect_recorded_run("1x64x96", 1, 64, 96);
  expect_recorded_run("2x96x128", 2, 96, 128);
  expect_recorded_run("1x480x640", 1, 480, 640);
}

}  // namespace
}  // namespace dformer::testing
