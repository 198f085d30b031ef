#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/official_rows.hpp"
#include <dformer/data/dataset.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/eval/official_padding.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/io/load.hpp>
#include <dformer/models/zoo.hpp>
#include <dformer/nn/initialize.hpp>

namespace dformer::programs {

/// Where an audit looks for what the official rows need.
struct AuditedFolders {
  std::filesystem::path checkpoints;
  std::filesystem::path data;
  std::size_t images = 2;  ///< of each data set
};

/// What became of one case.
class AuditedCase {
 public:
  enum class Status : std::uint8_t { ok, absent, failed };
  struct Step {
    const char* name;
    Status status;
    std::string reason;  ///< of what is absent or failed
    double milliseconds = 0;
  };

  explicit AuditedCase(const OfficialRow& row) : row_(row) {}

  const OfficialRow& row() const { return row_; }
  const std::vector<Step>& steps() const { return steps_; }
  std::optional<double> miou;  ///< of the few images
  Status status() const {
    Status worst = Status::ok;
    for (const Step& step : steps_) worst = std::max(worst, step.status);
    return worst;
  }

  /// A step gives the reason for which it cannot be done, or throws.
  Status take(const char* name, const std::function<std::optional<std::string>()>& work) {
    Stopwatch watch;
    Step step{name, Status::ok, "", 0};
    try {
      if (const std::optional<std::string> reason = work()) step = {name, Status::absent, *reason, 0};
    } catch (const std::exception& error) {
      step = {name, Status::failed, error.what(), 0};
    }
    step.milliseconds = watch.lap();
    steps_.push_back(std::move(step));
    return steps_.back().status;
  }

 private:
  const OfficialRow& row_;
  std::vector<Step> steps_;
};

/// Takes one case step by step: building the network, a strict load, a forward pass, a few images of the data
/// set.
template <class B>
class Auditor {
 public:
  Auditor(const OfficialRow& row, const AuditedFolders& folders, const typename B::Device& device)
      : row_(row), folders_(folders), device_(device) {}

  AuditedCase operator()() {
    using Status = AuditedCase::Status;
    AuditedCase result(row_);
    if (result.take("build", [&] { return build(); }) == Status::failed) return result;
    const Status loaded = result.take("load", [&] { return load_weights(); });
    if (loaded == Status::failed) return result;
    if (loaded == Status::absent) initialize(*network_, 0, device_);
    if (result.take("forward", [&] { return forward(); }) == Status::failed) return result;
    result.take("evaluate", [&] {
      return loaded == Status::ok ? evaluate_some(result) : std::optional<std::string>("no weights");
    });
    return result;
  }

 private:
  std::optional<std::string> build() {
    network_ = make_segmenter<B>(row_.model, static_cast<int>(row_.num_classes()), row_.dataset);
    return std::nullopt;
  }

  std::optional<std::string> load_weights() {
    if (folders_.checkpoints.empty()) return "no --checkpoints";
    const auto file = find_below(folders_.checkpoints, row_.checkpoint);
    if (!file) return "no " + std::string(row_.checkpoint) + " in " + folders_.checkpoints.string();
    load(*network_, *file, {}, device_);
    return std::nullopt;
  }

  /// One grey image: scores must be of the right shape, and finite.
  std::optional<std::string> forward() const {
    constexpr std::int64_t height = 480, width = 640;
    const auto grey = [&](std::int64_t channels) {
      const std::vector<float> values(static_cast<std::size_t>(height * width * channels), 0.0f);
      return B::from_host(device_, {1, height, width, channels}, values);
    };
    const auto scores = (*network_)(grey(3), grey(1));
    std::vector<float> values(static_cast<std::size_t>(scores.shape().numel()));
    B::to_host(scores, values);
    if (scores.shape().back() != static_cast<std::int64_t>(row_.num_classes()))
      throw Error("scores of shape " + to_string(scores.shape()) + ", " + std::to_string(row_.num_classes()) +
                  " classes expected");
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
      throw Error("scores that are no finite numbers");
    return std::nullopt;
  }

  std::optional<std::string> evaluate_some(AuditedCase& result) {
    if (folders_.data.empty()) return "no --data-root";
    const std::filesystem::path folder = folders_.data / row_.folder();
    if (!std::filesystem::is_directory(folder)) return "no folder " + folder.string();
    const bool sun = row_.dataset == OfficialDataset::sunrgbd;
    const RgbdDataset dataset(folder, "test.txt", sun ? sunrgbd_layout() : nyu_depth_v2_layout(),
                              static_cast<int>(row_.num_classes()));
    Protocol protocol = Protocol::single_scale();
    protocol.padded_size = official_padded_size(row_.model, row_.dataset);
    const Score score =
        dformer::evaluate(*network_, dataset, protocol, {.max_images = folders_.images}, [](const auto&) {});
    result.miou = score.metrics().miou;
    if (dataset.size() == row_.images()) return std::nullopt;
    return "test.txt in " + folder.string() + " has " + std::to_string(dataset.size()) + " of " +
           std::to_string(row_.images()) + " images";
  }

  const OfficialRow& row_;
  const AuditedFolders& folders_;
  const typename B::Device& device_;
  SegmenterPointer<B> network_;
};

}  // namespace dformer::programs
