// AsymFormer, which reads depth in metres, in the programs: trained on a small data set of made rooms with
// 16-bit depth, scored, and used; and what is said of depth that holds no lengths.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "programs/run.hpp"
#include <dformer/data/scene/write_dataset.hpp>

namespace dformer {
namespace {

using testing::expect_mentions;
using testing::Outcome;
using Words = std::vector<std::string>;

class AsymFormerPrograms : public ::testing::Test {
 protected:
  AsymFormerPrograms() {
    scene::DatasetOptions options{.train = 4, .test = 1};
    options.view.width = 96;
    options.view.height = 64;
    options.depth = scene::DepthFiles::mm;
    scene::write_dataset(folder_ / "scenes", options);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string image(const std::string& kind) const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / ("scenes/" + kind)))
      return entry.path().string();
    return "none";
  }
  Outcome train(const std::string& encoding) const {
    return testing::run(
        folder_, DFORMER_TRAIN,
        {DFORMER_RECIPES "/AsymFormer_nyudepthv2.toml", "--data", path("scenes"), "--out", path("run"),
         "--epochs", "1", "--cfg-options", "dataset.layout=nyudepthv2", "dataset.depth_encoding=" + encoding,
         "batch_size=2", "augmentation.crop=[64, 96]", "schedule.warmup_epochs=0", "machine.threads=1"});
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AsymFormerPrograms, TrainsScoresAndInfers) {
  const Outcome trained = train("mm");
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  expect_mentions(trained.out, {"AsymFormer, 40 classes", "4 images of NYUDepthv2", "validation result: mIoU",
                                "Ended after 1 epochs"});

  const Outcome scored =
      testing::run(folder_, DFORMER_EVAL,
                   {"--model", "AsymFormer", "--checkpoint", path("run/last.pth"), "--data", path("scenes"),
                    "--out", path("score"), "--depth-encoding", "mm", "--threads", "1"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const auto of_run = nlohmann::json::parse(testing::read_text(folder_ / "run/score.json"));
  const auto of_eval = nlohmann::json::parse(testing::read_text(folder_ / "score/metrics.json"));
  EXPECT_EQ(of_run["miou"], of_eval["miou"]);
  const auto& protocol = of_eval["protocol"];
  EXPECT_EQ(protocol["depth"], "metres");
  EXPECT_EQ(protocol["color_order"], "RGB");
  EXPECT_EQ(protocol["head_norm_eps"], 1e-5);
  EXPECT_EQ(protocol["size_multiple"], 32);

  const Outcome used = testing::run(
      folder_, DFORMER_INFER,
      {"--model", "AsymFormer", "--checkpoint", path("run/last.pth"), "--rgb", image("RGB"), "--depth",
       image("Depth"), "--depth-encoding", "mm", "--out", path("out"), "--threads", "1"});
  ASSERT_EQ(used.exit_code, 0) << used.err;
  EXPECT_EQ(used.err, "");
}

TEST_F(AsymFormerPrograms, SayWhatIsMissing) {
  const Outcome greys = testing::run(folder_, DFORMER_INFER,
                                     {"--model", "AsymFormer", "--init", "1", "--rgb", image("RGB"),
                                      "--depth", image("Depth"), "--out", path("out"), "--threads", "1"});
  EXPECT_NE(greys.exit_code, 0);
  expect_mentions(greys.err, {"reads depth in metres", "\"greys\"", "mm, sun, tum or metre"});
  expect_mentions(train("greys").err, {"dataset.depth_encoding: mm, sun, tum or metre", "got greys"});

  const std::string pair = DFORMER_SAMPLES "/livingroom_kinect2_512";
  const Outcome size =
      testing::run(folder_, DFORMER_INFER,
                   {"--model", "AsymFormer", "--init", "1", "--rgb", pair + "/rgb.png", "--depth",
                    pair + "/depth.png", "--depth-encoding", "sun", "--out", path("out"), "--threads", "1"});
  EXPECT_NE(size.exit_code, 0);
  expect_mentions(size.err, {"multiples of 32", "(1, 424, 512, 3)"});
}

}  // namespace
}  // namespace dformer
