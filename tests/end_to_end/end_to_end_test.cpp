// Real image pairs through the library's own reading, normalisation, network and labels, against the official
// code.

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <support/golden.hpp>

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/eval/segment.hpp>
#include <dformer/models.hpp>

namespace dformer::testing {
namespace {

template <class Network>
void check(const std::string& sample, const std::string& model) {
  const Golden golden("end_to_end/" + sample + "." + model);
  Network network;
  fill_parameters(network, [](std::string_view name, const Shape& shape, std::span<float> values) {
    fill_by_name(name, shape, values);
  });
  const std::string samples = DFORMER_SAMPLES;
  const RgbdImage image =
      read_rgbd(samples + "/" + sample + "/rgb.png",
                std::string(DFORMER_TEST_DATA) + "/end_to_end/" + sample + ".depth_greys.png");

  const Array indices = golden.array("logits.idx");
  const Array expected = golden.array("logits.val");
  const auto input = upload(network, image, device_of(network));
  const auto logits = network(input.rgb, input.depth);
  Array host{logits.shape(), std::vector<float>(static_cast<std::size_t>(logits.shape().numel()))};
  Cpu<>::to_host(logits, host.values);
  const Array channels_first = to_nchw(host);
  Array actual{expected.shape, {}};
  for (float index : indices.values)
    actual.values.push_back(channels_first.values[static_cast<std::size_t>(index)]);
  expect_close(actual, expected, 50 * golden.number("f64_maxabs_logits") + 1e-4, "logits");

  const cv::Mat labels = segment(network, image);
  const Array argmax = golden.array("argmax");
  const Array ambiguous = golden.array("ambiguous");
  int different = 0;
  for (std::size_t i = 0; i < argmax.values.size(); ++i) {
    if (ambiguous.values[i] == 0 && static_cast<float>(labels.data[i]) != argmax.values[i]) ++different;
  }
  EXPECT_EQ(different, 0);
}

TEST(EndToEnd, DFormerTinyOnTheDesk) {
  check<DFormer_Tiny<>>("tum_desk_640", "DFormer_Tiny");
}
TEST(EndToEnd, DFormerv2SmallOnTheDesk) {
  check<DFormerv2_S<>>("tum_desk_640", "DFormerv2_S");
}
TEST(EndToEnd, DFormerSmallInTheLivingRoom) {
  check<DFormer_Small<>>("livingroom_kinect2_512", "DFormer_Small");
}

}  // namespace
}  // namespace dformer::testing
