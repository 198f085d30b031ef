// Composes a small network of one's own, makes a data set of synthetic rooms, trains on it, scores the result
// with depth and without, and draws what the network sees. Read it as the shortest whole use of the library.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <opencv2/imgcodecs.hpp>

#include "common/backend.hpp"
#include "common/json.hpp"
#include "common/program.hpp"
#include "common/progress_bar.hpp"
#if defined(DFORMER_HAS_CUDA)
#include <dformer/backend/cuda/gradients/gradients.hpp>
#endif
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/data/scene/write_dataset.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/heads/mlp_head.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/models/variants.hpp>
#include <dformer/train.hpp>
#include <dformer/viz/label_image.hpp>
#include <dformer/viz/picture_grid.hpp>

namespace dformer::programs {
namespace {

namespace fs = std::filesystem;

// A network is a type: a backbone of four small stages, an MLP head, the 40 classes of NYUDepthv2.
constexpr DFormerConfig small_config{.dims = {24, 48, 96, 128}, .depths = {1, 1, 2, 1}};
template <class B>
using SmallBackbone = DFormer<B, small_config>;
template <class B>
using SmallNetwork = Segmenter<B, SmallBackbone<B>, MlpHead<B, 24, 48, 96, 128, 40, 64>>;

/// The same data with every depth picture of one grey: what a colour camera alone knows.
struct WithoutDepth {
  const RgbdDataset& data;

  std::size_t size() const { return data.size(); }
  int num_classes() const { return data.num_classes(); }
  std::string description() const { return data.description() + ", without depth"; }
  LabeledImage read(std::size_t index) const {
    LabeledImage sample = data.read(index);
    sample.image.depth.setTo(128);
    return sample;
  }
};

struct QuickstartOptions {
  fs::path out = "quickstart";
  fs::path samples = "samples";
  int steps = 1200;
  double time_limit = 180;
  int batch_size = 8;
  int images = 800;
  double lr = 3e-3;
  std::uint64_t seed = 1;
  BackendOptions backend;

  void add_to(CLI::App& app) {
    app.add_option("--out", out, "Folder for everything that is made")->capture_default_str();
    app.add_option("--samples", samples, "Folder of the real image pairs")->capture_default_str();
    app.add_option("--steps", steps, "Batches to train on")->check(above_zero())->capture_default_str();
    app.add_option(
           "--time-limit", time_limit,
           "Seconds of each training. On a machine that does not get through the steps in that time, the "
           "learning rate falls with the time, and the training ends with it")
        ->check(above_zero())
        ->capture_default_str();
    app.add_option("--batch-size", batch_size)->capture_default_str();
    app.add_option("--images", images, "Scenes to train with")->capture_default_str();
    app.add_option("--lr", lr, "Learning rate")->capture_default_str();
    app.add_option("--seed", seed, "Of the weights and the batches")->capture_default_str();
    backend.add_to(app);
  }
};

/// What a training gave.
template <class B>
struct Trained {
  SmallNetwork<B> network;
  int steps = 0;
  Score score{.dataset = {}, .images = 0, .protocol = {}, .confusion = ConfusionMatrix(40)};
  double seconds = 0;
};

template <class B, class Dataset>
Trained<B> train(const Dataset& data, const Dataset& test, const QuickstartOptions& options,
                 const typename B::Device& device) {
  SmallNetwork<Autodiff<B>> network;
  initialize(network, options.seed, device);
  for (auto& [name, parameter] : parameters(network)) {
    // From scratch in minutes: residual branches count from the start.
    if (name.find("layer_scale") == name.npos) continue;
    const std::vector<float> ones(static_cast<std::size_t>(parameter->shape().numel()), 1.0f);
    set_values(*parameter, std::span<const float>(ones), device);
  }
  const auto groups = group_parameters(parameters(network), ParameterPolicy::full);
  const WarmUpPolyLR schedule{.base_lr = options.lr,
                              .total_steps = options.steps,
                              .warmup_steps = options.steps / 20,
                              .update = LrUpdate::before_step};
  double done = 0;  // of the steps, or of the time where that runs out first
  Trainer trainer(network, CrossEntropy<B>{}, Optimizer<Autodiff<B>>(AdamW{.weight_decay = 0.01}, groups),
                  [&](std::int64_t) { return schedule.lr(std::lround(done * options.steps)); },
                  {.seed = options.seed, .clip_norm = 5.0});
  TrainBatches batches(data,
                       {.batch_size = options.batch_size,
                        .seed = options.seed,
                        .augmentation = {.crop_height = 120, .crop_width = 160, .scales = {1.0, 1.25, 1.5}}});
  Stopwatch watch;
  double elapsed = 0;
  const ProgressBar bar(static_cast<std::size_t>(options.steps));
  double mean = 0;
  int step = 0;
  while (done < 1) {
    const TrainStep report = trainer.step(batches.next());
    ++step;
    mean += (report.loss - mean) / std::min(step, 50);
    bar.update(static_cast<std::size_t>(step), elapsed += watch.lap(), "loss " + std::to_string(mean));
    done = std::max(static_cast<double>(step) / options.steps, elapsed / (1000 * options.time_limit));
    if (step % 100 == 0) {
      bar.clear();
      std::printf("  step %d of %d, loss %.3f, %.0f s\n", step, options.steps, mean, elapsed / 1000);
      std::fflush(stdout);
    }
  }
  bar.clear();
  if (step < options.steps) std::printf("  %d steps in the %.0f s given\n", step, options.time_limit);
  Trained<B> result;
  result.steps = step;
  result.seconds = elapsed / 1000;
  share_parameters(network, result.network);
  Protocol protocol = Protocol::single_scale();
  protocol.absent = AbsentClasses::standard;  // the scenes have fourteen of the forty classes
  result.score = evaluate(result.network, test, protocol);
  std::printf("  mIoU %.3f after %.0f s\n", result.score.metrics().miou, result.seconds);
  std::fflush(stdout);
  return result;
}

/// Colour, depth, truth where it is known, prediction: some test scenes, then the real pairs.
template <class B>
void draw(const Trained<B>& trained, const RgbdDataset& test, const QuickstartOptions& options) {
  PictureGrid grid{.titles = {"colour", "depth", "truth", "prediction"}, .rows = {}, .cell_width = 232};
  for (std::size_t i = 0; i < std::min<std::size_t>(3, test.size()); ++i) {
    const LabeledImage sample = test.read(i);
    grid.rows.push_back({sample.image.color, sample.image.depth, label_image(sample.labels),
                         label_image(segment(trained.network, sample.image))});
  }
  const std::pair<const char*, DepthEncoding> pairs[] = {{"tum_desk_640", TumDepth{}},
                                                         {"livingroom_kinect2_512", SunDepth{}}};
  for (const auto& [name, encoding] : pairs) {
    const fs::path folder = options.samples / name;
    RgbdImage image = read_rgbd(folder / "rgb.png", folder / "depth.png", {.encoding = encoding});
    const cv::Size size(160, 160 * image.height() / image.width());  // what the network was trained for
    cv::resize(image.color, image.color, size, 0, 0, cv::INTER_AREA);
    cv::resize(image.depth, image.depth, size, 0, 0, cv::INTER_NEAREST);
    grid.rows.push_back({image.color, image.depth, cv::Mat(), label_image(segment(trained.network, image))});
  }
  write_picture(options.out / "quickstart.jpg", draw_grid(grid));
}

template <class B>
int quickstart(const QuickstartOptions& options, const typename B::Device& device) {
  const fs::path scenes = options.out / "scenes";
  if (!fs::exists(scenes / "test.txt")) {
    std::printf("Making %d scenes to train with and 60 to test with\n", options.images);
    scene::DatasetOptions dataset{.train = options.images, .test = 60};
    dataset.view.width = 160;
    dataset.view.height = 120;
    scene::write_dataset(scenes, dataset);
  }
  const RgbdDataset data(scenes, "train.txt", nyu_depth_v2_layout(), 40);
  const RgbdDataset test(scenes, "test.txt", nyu_depth_v2_layout(), 40);

  std::printf("Training with colour and depth\n");
  const Trained<B> with_depth = train<B>(data, test, options, device);
  std::printf("Training with colour alone\n");
  const Trained<B> without = train<B>(WithoutDepth{data}, WithoutDepth{test}, options, device);
  save_torch(with_depth.network, options.out / "network.pth");
  draw(with_depth, test, options);

  const double rgbd = with_depth.score.metrics().miou, rgb = without.score.metrics().miou;
  write_json(options.out / "report.json", {{"steps", with_depth.steps},
                                           {"steps_without_depth", without.steps},
                                           {"seed", options.seed},
                                           {"miou", rgbd},
                                           {"miou_without_depth", rgb},
                                           {"training_seconds", with_depth.seconds},
                                           {"training_seconds_without_depth", without.seconds}});
  std::printf(
      "\nmIoU %.3f with depth, %.3f without (60 test scenes, single scale; %.0f and %.0f s of training)\n"
      "The picture is %s\n",
      rgbd, rgb, with_depth.seconds, without.seconds, (options.out / "quickstart.jpg").c_str());
  return 0;
}

}  // namespace
}  // namespace dformer::programs

int main(int argc, char** argv) {
  CLI::App app("Makes scenes, trains a small network on them, and shows what it learnt.",
               "dformer_quickstart");
  dformer::programs::QuickstartOptions options;
  options.add_to(app);
  return dformer::programs::run_program(app, argc, argv, [&] {
    return options.backend.run(
        [&]<class B>(const typename B::Device& device) {
          return dformer::programs::quickstart<B>(options, device);
        },
        {.trains = true});
  });
}
