#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <dformer/data/depth_encoding.hpp>
#include <dformer/eval/protocol.hpp>
#include <dformer/train/recipe_words.hpp>

/// A recipe: every setting of a training run, as a plain struct. `visit` names the settings and says what
/// each is, so that a file of them is read, written and explained by one visitor (`dformer_train` does, in
/// TOML). The defaults are those of the official NYUDepthv2 configurations.
namespace dformer {

struct RecipeDataset {
  std::string root{};  ///< folder; may be given when the run is started instead
  RecipeLayout layout = RecipeLayout::nyu_depth_v2;
  std::string train = "train.txt";
  std::string test = "test.txt";
  int num_classes = 40;
  std::string classes = "nyu40";
  LabelNumbering labels = LabelNumbering::from_one;
  std::string depth_encoding{};  ///< empty: as the layout has it
  HolePolicy holes = HolePolicy::keep;
  friend bool operator==(const RecipeDataset&, const RecipeDataset&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("root", self.root, "folder; --data gives another");
    visitor("layout", self.layout, recipe_words<RecipeLayout>());
    visitor("train", self.train, "list of the images to train with, in that folder");
    visitor("test", self.test, "list of those to score with");
    visitor("num_classes", self.num_classes, "2 to 255");
    visitor("classes", self.classes, "nyu40, sunrgbd37, a file with one name a line, or nothing");
    visitor("labels", self.labels, "from_one: 0 is ignored; from_zero: 255 is");
    visitor("depth_encoding", self.depth_encoding,
            "nothing: as the layout has it; or " + std::string(depth_encoding_names));
    visitor("holes", self.holes, "pixels without depth: " + recipe_words<HolePolicy>());
  }
};

struct RecipeAugmentation {
  ImageSize crop{480, 640};
  std::vector<double> scales{0.5, 0.75, 1, 1.25, 1.5, 1.75};
  bool flip = true;
  friend bool operator==(const RecipeAugmentation&, const RecipeAugmentation&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("crop", self.crop, "height and width");
    visitor("scales", self.scales, "one is drawn for each image");
    visitor("flip", self.flip, "every second image mirrored, by chance");
  }
};

struct RecipeNetwork {
  OfficialDataset like = OfficialDataset::nyu_depth_v2;
  double drop_path = 0.1;
  double dropout = 0.1;
  bool draw_bases = true;
  friend bool operator==(const RecipeNetwork&, const RecipeNetwork&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("like", self.like,
            "whose width of the decode head and order of colours: " + recipe_words<OfficialDataset>());
    visitor("drop_path", self.drop_path, "rate of the last block; those before it have less");
    visitor("dropout", self.dropout, "of channels, before the classifier");
    visitor("draw_bases", self.draw_bases, "other starting bases of the Hamburger at each step");
  }
};

struct RecipeOptimization {
  RecipeOptimizer type = RecipeOptimizer::adamw;
  double lr = 6e-5;
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.9;
  ParameterPolicy parameters = ParameterPolicy::official;
  double clip_norm = 0.0;
  friend bool operator==(const RecipeOptimization&, const RecipeOptimization&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("type", self.type, recipe_words<RecipeOptimizer>());
    visitor("lr", self.lr, "the highest learning rate");
    visitor("weight_decay", self.weight_decay, "");
    visitor("beta1", self.beta1, "of adamw");
    visitor("beta2", self.beta2, "of adamw");
    visitor("eps", self.eps, "of adamw");
    visitor("momentum", self.momentum, "of sgd");
    visitor("parameters", self.parameters,
            "official: norms of DFormer, layer scales and geometry weights stay; full: all are trained; "
            "full_decay: and decay, biases and norms too");
    visitor("clip_norm", self.clip_norm, "largest L2 norm of all gradients together; 0: any");
  }
};

struct RecipeSchedule {
  int warmup_epochs = 10;
  double power = 0.9;
  LrUpdate update = LrUpdate::after_step;
  friend bool operator==(const RecipeSchedule&, const RecipeSchedule&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("warmup_epochs", self.warmup_epochs, "the learning rate rises from 0");
    visitor("power", self.power, "then falls as (1 - t / T)^power");
    visitor("update", self.update,
            "after_step: as the official loop, whose first step has the full rate; or before_step");
  }
};

/// What the loss is a weighted sum of.
struct RecipeLoss {
  double cross_entropy = 1.0;
  double ohem = 0.0;
  double dice = 0.0;
  double focal = 0.0;
  double lovasz = 0.0;
  double tversky = 0.0;
  double label_smoothing = 0.0;
  std::vector<double> class_weight{};
  friend bool operator==(const RecipeLoss&, const RecipeLoss&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("cross_entropy", self.cross_entropy, "its weight in the sum");
    visitor("ohem", self.ohem, "cross-entropy of the hardest pixels");
    visitor("dice", self.dice, "");
    visitor("focal", self.focal, "");
    visitor("lovasz", self.lovasz, "Lovasz-softmax");
    visitor("tversky", self.tversky, "");
    visitor("label_smoothing", self.label_smoothing, "of cross_entropy");
    visitor("class_weight", self.class_weight, "one number for each class; none: all count alike");
  }
};

struct RecipeEvaluation {
  EvaluationEpochs epochs = EvaluationEpochs::official;
  int checkpoint_start = 250;
  int interval = 10;
  std::vector<double> scales{0.5, 0.75, 1, 1.25, 1.5};
  int size_multiple = 32;
  bool flip = true;
  std::optional<ImageSize> window{};
  std::optional<ImageSize> stride{};  ///< none: two thirds of the window
  std::optional<ImageSize> padded_size{};
  AbsentClasses absent = AbsentClasses::official;
  friend bool operator==(const RecipeEvaluation&, const RecipeEvaluation&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("epochs", self.epochs, "after which: " + recipe_words<EvaluationEpochs>());
    visitor("checkpoint_start", self.checkpoint_start, "official: each epoch after this one");
    visitor("interval", self.interval, "every: after so many epochs");
    visitor("scales", self.scales, "");
    visitor("size_multiple", self.size_multiple, "scaled sizes are rounded up to a multiple");
    visitor("flip", self.flip, "every scale once more, mirrored");
    visitor("window", self.window, "height and width of a sliding window; []: whole images");
    visitor("stride", self.stride, "of the window; []: two thirds of it");
    visitor("padded_size", self.padded_size, "images are padded to it; []: not");
    visitor("absent", self.absent, "classes that do not occur: official counts 0; standard leaves them out");
  }
};

struct RecipeCheckpoints {
  int keep_best = 5;
  int every_epochs = 1;
  int every_iterations = 0;
  friend bool operator==(const RecipeCheckpoints&, const RecipeCheckpoints&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("keep_best", self.keep_best, "by mIoU");
    visitor("every_epochs", self.every_epochs, "last.pth is written");
    visitor("every_iterations", self.every_iterations, "and so often within an epoch; 0: not");
  }
};

struct RecipeMachine {
  int threads = 0;
  int workers = 1;
  bool checkpoint_blocks = false;
  friend bool operator==(const RecipeMachine&, const RecipeMachine&) = default;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("threads", self.threads, "0: all processors; results do not depend on it");
    visitor("workers", self.workers, "threads that read and augment images");
    visitor("checkpoint_blocks", self.checkpoint_blocks, "less memory, more time: blocks are computed twice");
  }
};

struct Recipe {
  std::string model = "DFormer_Tiny";
  int epochs = 500;
  int batch_size = 8;
  int accumulate = 1;
  double ema_decay = 0.0;
  std::uint64_t seed = 12345;
  RecipeDataset dataset{};
  RecipeAugmentation augmentation{};
  RecipeNetwork network{};
  RecipeOptimization optimizer{};
  RecipeSchedule schedule{};
  RecipeLoss loss{};
  RecipeEvaluation evaluation{};
  RecipeCheckpoints checkpoints{};
  RecipeMachine machine{};
  friend bool operator==(const Recipe&, const Recipe&) = default;

  /// visitor(key, member, what it is): for a section, which has a `visit` of its own, and for a value.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& visitor) {
    visitor("model", self.model, "DFormer_Tiny, _Small, _Base, _Large, DFormerv2_S, _B, _L, AsymFormer");
    visitor("epochs", self.epochs, "");
    visitor("batch_size", self.batch_size, "images that make one pass through the network");
    visitor("accumulate", self.accumulate, "passes that make one update");
    visitor("ema_decay", self.ema_decay, "of averaged weights, which are then scored; 0: none");
    visitor("seed", self.seed, "decides all that is random");
    visitor("dataset", self.dataset, "");
    visitor("augmentation", self.augmentation, "");
    visitor("network", self.network, "");
    visitor("optimizer", self.optimizer, "");
    visitor("schedule", self.schedule, "");
    visitor("loss", self.loss, "a sum of these, by weight");
    visitor("evaluation", self.evaluation, "when and how the network is scored");
    visitor("checkpoints", self.checkpoints, "");
    visitor("machine", self.machine, "what does not change the result");
  }
};

namespace detail {

struct AnyRecipeVisitor {
  template <class T>
  void operator()(const char*, T&, const std::string&) {}
};

}  // namespace detail

/// A part of a recipe that holds settings, or a whole recipe.
template <class T>
concept RecipeSection = requires(T& section, detail::AnyRecipeVisitor& visitor) {
  T::visit(section, visitor);
};

}  // namespace dformer
