#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/backend.hpp"
#include "common/json.hpp"
#include "common/machine.hpp"
#include "common/official_rows.hpp"
#include "dformer_eval_auditor.hpp"

/// dformer_eval --audit: whether everything that the official rows need is there and works.
namespace dformer::programs {

struct AuditOptions {
  std::vector<std::string> cases;
  AuditedFolders folders;
  std::filesystem::path out;
  BackendOptions backend;
  bool list = false;
  bool require_all = false;

  void add_to(CLI::App& app) {
    std::vector<std::string> names;
    for (const OfficialRow& row : official_rows) names.emplace_back(row.name);
    app.add_flag("--list", list, "prints the official rows as JSON and ends");
    app.add_option("--cases", cases, "the rows to look at, separated by commas; all where left out")
        ->delimiter(',')
        ->check(CLI::IsMember(names));
    app.add_option("--checkpoints", folders.checkpoints, "a folder with the published files, in it or below");
    app.add_option("--data-root", folders.data, "the folder of the folders NYUDepthv2 and SUNRGBD");
    app.add_option("--images", folders.images, "images to evaluate of each data set")
        ->check(above_zero())
        ->capture_default_str();
    app.add_option("--out", out, "the folder for audit.json");
    backend.add_to(app);
    app.add_flag("--require-all", require_all, "what is not there is a failure too");
  }
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
  if (result.miou) json["miou"] = *result.miou;
  return json;
}

inline void print_row(const AuditedCase& result) {
  std::printf("%-26s", std::string(result.row().name).c_str());
  std::string reasons;
  if (result.miou) reasons = "mIoU " + std::to_string(*result.miou) + " of a few images";
  for (const AuditedCase::Step& step : result.steps()) {
    std::printf("%-9s", to_text(step.status));
    if (!step.reason.empty()) ((reasons += reasons.empty() ? "" : "; ") += step.name) += ": " + step.reason;
  }
  std::ranges::replace(reasons, '\n', ' ');
  std::printf("%s\n", reasons.c_str());
  std::fflush(stdout);
}

template <class B>
int audit(const AuditOptions& options, const typename B::Device& device) {
  std::printf("%-26s%-9s%-9s%-9s%-9s%s\n", "case", "build", "load", "forward", "evaluate", "why");
  Json cases = Json::array();
  std::size_t counts[3] = {};
  for (const OfficialRow& row : official_rows) {
    if (!options.cases.empty() && std::ranges::find(options.cases, row.name) == options.cases.end()) continue;
    const AuditedCase result = Auditor<B>(row, options.folders, device)();
    ++counts[static_cast<std::size_t>(result.status())];
    print_row(result);
    cases.push_back(to_json(result));
  }
  const std::size_t failed = counts[2] + (options.require_all ? counts[1] : 0);
  std::printf("%zu complete, %zu with something absent, %zu failed\n", counts[0], counts[1], counts[2]);
  if (!options.out.empty()) {
    std::filesystem::create_directories(options.out);
    write_json(options.out / "audit.json", {{"machine", describe_machine<B>(device)},
                                            {"images", options.folders.images},
                                            {"failed", failed},
                                            {"cases", cases}});
  }
  return failed == 0 ? 0 : 1;
}

inline int audit(const AuditOptions& options) {
  if (!options.list) {
    return options.backend.run(
        [&]<class B>(const typename B::Device& device) { return audit<B>(options, device); });
  }
  Json rows = Json::array();
  for (const OfficialRow& row : official_rows) rows.push_back(to_json(row));
  std::printf("%s\n", rows.dump(2).c_str());
  return 0;
}

}  // namespace dformer::programs
