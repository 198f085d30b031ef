#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/json.hpp"
#include "common/machine.hpp"
#include "common/official_rows.hpp"
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/data/pad_image.hpp>
#include <dformer/eval/evaluate.hpp>
#include <dformer/eval/timing.hpp>
#include <dformer/io/load.hpp>
#include <dformer/nn/initialize.hpp>

/// dformer_eval --audit: whether everything that the official rows need is there and works.
namespace dformer::programs {

struct AuditOptions {
  std::vector<std::string> cases;
  std::filesystem::path checkpoints;
  std::filesystem::path data;
  std::filesystem::path out;
  std::size_t images = 2;
  int threads = 0;
  bool list = false;
  bool require_all = false;

  void add_to(CLI::App& app) {
    std::vector<std::string> names;
    for (const OfficialRow& row : official_rows) names.emplace_back(row.name);
    app.add_flag("--list", list, "prints the official rows as JSON and ends");
    app.add_option("--cases", cases, "the rows to look at, separated by commas; all where left out")
        ->delimiter(',')
        ->check(CLI::IsMember(names));
    app.add_option("--checkpoints", checkpoints, "a folder with the published files, in it or below");
    app.add_option("--data-root", data, "the folder of the folders NYUDepthv2 and SUNRGBD");
    app.add_option("--images", images, "images to evaluate of each data set")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--out", out, "the folder for audit.json");
    app.add_option("--threads", threads, "0 for all processors")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--require-all", require_all, "what is not there is a failure too");
  }
};

/// One case, step by step: building the network, a strict load, a forward pass, a few images of the data set.
class AuditedCase {
 public:
  enum class Status : std::uint8_t { ok, absent, failed };
  struct Step {
    const char* name;
    Status status;
    std::string reason;  ///< of what is absent or failed
    double milliseconds = 0;
  };

  AuditedCase(const OfficialRow& row, const AuditOptions& options, const cpu::Device& device)
      : row_(row), options_(options), device_(device) {
    if (take("build", [&] { return build(); }) == Status::failed) return;
    const Status loaded = take("load", [&] { return load_weights(); });
    if (loaded == Status::failed) return;
    if (loaded == Status::absent) initialize(*network_, 0, device_);
    if (take("forward", [&] { return forward(); }) == Status::failed) return;
    take("evaluate",
         [&] { return loaded == Status::ok ? evaluate_some() : std::optional<std::string>("no weights"); });
  }

  const OfficialRow& row() const { return row_; }
  const std::vector<Step>& steps() const { return steps_; }
  std::optional<double> miou() const { return miou_; }
  Status status() const {
    Status worst = Status::ok;
    for (const Step& step : steps_) worst = std::max(worst, step.status);
    return worst;
  }

 private:
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

  std::optional<std::string> build() {
    network_ = make_segmenter<Cpu<>>(row_.model, static_cast<int>(row_.num_classes()), row_.dataset);
    return std::nullopt;
  }

  std::optional<std::string> load_weights() {
    if (options_.checkpoints.empty()) return "no --checkpoints";
    const auto file = find_below(options_.checkpoints, row_.checkpoint);
    if (!file) return "no " + std::string(row_.checkpoint) + " in " + options_.checkpoints.string();
    load(*network_, *file, {}, device_);
    return std::nullopt;
  }

  /// One grey image: scores must be of the right shape, and finite.
  std::optional<std::string> forward() const {
    constexpr std::int64_t height = 480, width = 640;
    const auto grey = [&](std::int64_t channels) {
      const std::vector<float> values(static_cast<std::size_t>(height * width * channels), 0.0f);
      return Cpu<>::from_host(device_, {1, height, width, channels}, values);
    };
    const auto scores = (*network_)(grey(3), grey(1));
    std::vector<float> values(static_cast<std::size_t>(scores.shape().numel()));
    Cpu<>::to_host(scores, values);
    if (scores.shape().back() != static_cast<std::int64_t>(row_.num_classes()))
      throw Error("scores of shape " + to_string(scores.shape()) + ", " + std::to_string(row_.num_classes()) +
                  " classes expected");
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
      throw Error("scores that are no finite numbers");
    return std::nullopt;
  }

  std::optional<std::string> evaluate_some() {
    if (options_.data.empty()) return "no --data-root";
    const std::filesystem::path folder = options_.data / row_.folder();
    if (!std::filesystem::is_directory(folder)) return "no folder " + folder.string();
    const bool sun = row_.dataset == OfficialDataset::sunrgbd;
    const RgbdDataset dataset(folder, "test.txt", sun ? sunrgbd_layout() : nyu_depth_v2_layout(),
                              static_cast<int>(row_.num_classes()));
    Protocol protocol = Protocol::single_scale();
    if (sun && row_.model.starts_with("DFormerv2"))
      protocol.padded_size = ImageSize{sunrgbd_padded_size.height, sunrgbd_padded_size.width};
    const Score score =
        dformer::evaluate(*network_, dataset, protocol, {.max_images = options_.images}, [](const auto&) {});
    miou_ = score.metrics().miou;
    return std::nullopt;
  }

  const OfficialRow& row_;
  const AuditOptions& options_;
  const cpu::Device& device_;
  SegmenterPointer<Cpu<>> network_;
  std::vector<Step> steps_;
  std::optional<double> miou_;
};

inline const char* to_text(AuditedCase::Status status) {
  constexpr const char* words[] = {"ok", "absent", "failed"};
  return words[static_cast<std::size_t>(status)];
}

inline Json to_json(const OfficialRow& row) {
  return {{"name", row.name},
          {"model", row.model},
          {"dataset", row.dataset_name()},
          {"folder", row.folder()},
          {"checkpoint", row.checkpoint},
          {"images", row.images()},
          {"published_miou_percent", row.miou}};
}

inline Json to_json(const AuditedCase& result) {
  Json json = to_json(result.row());
  json["status"] = to_text(result.status());
  for (const AuditedCase::Step& step : result.steps()) {
    json["steps"][step.name] = {{"status", to_text(step.status)}, {"milliseconds", step.milliseconds}};
    if (!step.reason.empty()) json["steps"][step.name]["reason"] = step.reason;
  }
  if (result.miou()) json["miou"] = *result.miou();
  return json;
}

inline void print_row(const AuditedCase& result) {
  std::printf("%-26s", std::string(result.row().name).c_str());
  std::string reasons;
  for (const AuditedCase::Step& step : result.steps()) {
    std::printf("%-9s", to_text(step.status));
    if (!step.reason.empty()) ((reasons += reasons.empty() ? "" : "; ") += step.name) += ": " + step.reason;
  }
  std::printf("%s\n", reasons.substr(0, reasons.find('\n')).c_str());
  std::fflush(stdout);
}

inline int audit(const AuditOptions& options) {
  if (options.list) {
    Json rows = Json::array();
    for (const OfficialRow& row : official_rows) rows.push_back(to_json(row));
    std::printf("%s\n", rows.dump(2).c_str());
    return 0;
  }
  const cpu::Device device({.threads = options.threads});
  std::printf("%-26s%-9s%-9s%-9s%-9s%s\n", "case", "build", "load", "forward", "evaluate", "why");
  Json cases = Json::array();
  std::size_t counts[3] = {};
  for (const OfficialRow& row : official_rows) {
    if (!options.cases.empty() && std::ranges::find(options.cases, row.name) == options.cases.end()) continue;
    const AuditedCase result(row, options, device);
    ++counts[static_cast<std::size_t>(result.status())];
    print_row(result);
    cases.push_back(to_json(result));
  }
  const std::size_t failed = counts[2] + (options.require_all ? counts[1] : 0);
  std::printf("%zu complete, %zu with something absent, %zu failed\n", counts[0], counts[1], counts[2]);
  if (!options.out.empty()) {
    std::filesystem::create_directories(options.out);
    write_json(options.out / "audit.json", {{"machine", describe_machine<Cpu<>>(device)},
                                            {"images", options.images},
                                            {"failed", failed},
                                            {"cases", cases}});
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace dformer::programs
