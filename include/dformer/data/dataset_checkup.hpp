#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/finding.hpp>
#include <dformer/core/number_text.hpp>
#include <dformer/data/check_images.hpp>
#include <dformer/data/check_labels.hpp>
#include <dformer/data/check_lists.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/ordered_prefetch.hpp>

namespace dformer {

struct DatasetCheckOptions {
  DatasetLayout layout = nyu_depth_v2_layout();
  std::vector<std::string> lists{"train.txt", "test.txt"};
  int num_classes = 0;  ///< labels are held against it where it is 2 to 255
  ClassList names{};    ///< may be empty
  /// Of each list so many items are decoded, evenly chosen; 0 for all. That its files exist is always checked
  /// of every item.
  std::size_t most_decoded = 500;
  int threads = 1;
  /// Called after each decoded item, by the calling thread.
  std::function<void(std::size_t done, std::size_t total)> progress{};
};

/// What a check of a data set found, and what it counted.
struct DatasetCheckup : Checkup {
  struct List {
    std::string name;
    std::size_t items = 0;  ///< that are there, each once
    std::size_t decoded = 0;
  };
  std::vector<List> lists{};
  cv::Size largest{};    ///< extents of the colour images, each for itself
  LabelCounts labels{};  ///< as stored, of what was decoded
};

namespace detail {

/// Sums up what the items hold.
class DatasetSummary {
 public:
  void add(const CheckedItem& item) {
    if (!item.size.empty()) ++sizes_[{item.size.width, item.size.height}];
    if (item.depth_type.empty()) return;
    Depth& depth = depths_[item.depth_type];
    depth.low = depth.count == 0 ? item.depth_low : std::min(depth.low, item.depth_low);
    depth.high = std::max(depth.high, item.depth_high);
    depth.medians.push_back(item.depth_median);
    ++depth.count;
  }

  cv::Size largest() const {
    cv::Size size;
    for (const auto& [extents, count] : sizes_) {
      size.width = std::max(size.width, extents.first);
      size.height = std::max(size.height, extents.second);
    }
    return size;
  }

  void state(Checkup& checkup) {
    if (sizes_.size() == 1) checkup.fact("colour", describe(largest()) + " (height x width)");
    if (sizes_.size() > 1) {
      checkup.fact("colour", std::to_string(sizes_.size()) + " sizes, up to " + describe(largest()) +
                                 " (height x width)");
    }
    for (auto& [type, depth] : depths_) {
      std::string text = type + ": " + number_text(depth.low) + " to " + number_text(depth.high);
      text += unit_text(type, depth);
      if (depths_.size() > 1) text += " (" + std::to_string(depth.count) + " images)";
      checkup.fact("depth", std::move(text));
    }
  }

 private:
  struct Depth {
    std::size_t count = 0;
    double low = 0;
    double high = 0;
    std::vector<double> medians{};
  };

  /// "; median 2300: mm (2.3 m)", by the middle one of the images' medians.
  static std::string unit_text(const std::string& type, Depth& depth) {
    const auto middle = depth.medians.begin() + static_cast<std::ptrdiff_t>(depth.medians.size() / 2);
    std::nth_element(depth.medians.begin(), middle, depth.medians.end());
    std::vector<std::string> units;
    if (type == "16-bit, 1 channel") units = fitting_units<std::uint16_t>(*middle, "", {});
    if (type == "32-bit float, 1 channel") units = fitting_units<float>(*middle, "", {});
    if (*middle == 0) return {};
    std::string text = "; median " + number_text(*middle) + ", in metres if read as";
    for (std::size_t i = 0; i < units.size(); ++i) text += (i == 0 ? " " : ", ") + units[i];
    return units.empty() ? "; median " + number_text(*middle) + ", plausible in no known unit" : text;
  }

  std::map<std::pair<int, int>, std::size_t> sizes_;
  std::map<std::string, Depth> depths_;
};

/// "wall 39%, floor 10%, …; ignored 1.1%"
inline std::string shares_text(const LabelCheck& labels, const ClassList& names) {
  std::vector<std::pair<double, std::string>> shares;
  for (int label = 0; label < 256; ++label) {
    if (!labels.has(label) || label == labels.ignored()) continue;
    const int k = label - (labels.from_one() ? 1 : 0);
    shares.emplace_back(labels.share(label), names.name(static_cast<std::size_t>(k)));
  }
  std::ranges::stable_sort(shares, std::ranges::greater{}, [](const auto& each) { return each.first; });
  std::string text;
  const auto append = [&](const std::string& name, double share, const char* between) {
    char percent[32];
    std::snprintf(percent, sizeof percent, " %.2g%%", 100 * share);
    text.append(text.empty() ? "" : between).append(name).append(percent);
  };
  for (const auto& [share, name] : shares) append(name, share, ", ");
  append("ignored", labels.share(labels.ignored()), "; ");
  return text;
}

inline void state_labels(const LabelCheck& labels, const DatasetCheckOptions& options, Checkup& checkup) {
  int lowest = 0;
  while (lowest < 255 && (!labels.has(lowest) || lowest == labels.ignored())) ++lowest;
  std::size_t occurring = 0;
  for (int label = 0; label < 256; ++label)
    occurring += labels.has(label) && label != labels.ignored() ? 1 : 0;
  std::string text = "numbered from " + std::string(labels.from_one() ? "1" : "0") + ": " +
                     std::to_string(occurring) + " different, " + std::to_string(lowest) + " to " +
                     std::to_string(labels.highest());
  if (labels.has(255)) text += " and 255";
  if (options.num_classes > 0) text += "; " + std::to_string(options.num_classes) + " classes";
  checkup.fact("labels", text);
  checkup.fact("pixels", shares_text(labels, options.names));
}

}  // namespace detail

/// Checks a data set as it would be trained and scored with: every problem of every file in one pass, those
/// of one kind together. Throws nothing for what is wrong with the data.
inline DatasetCheckup check_dataset(const std::filesystem::path& root, const DatasetCheckOptions& options) {
  DatasetCheckup checkup;
  checkup.subject = "data set " + root.string();
  const auto named = static_cast<int>(options.names.size());
  if (named > 0 && options.num_classes > 0 && named != options.num_classes) {
    checkup.find(
        dataset_findings::class_count,
        {{}, 0, std::to_string(named) + " names, " + std::to_string(options.num_classes) + " classes"});
  }
  const bool known = options.num_classes >= 2 && options.num_classes <= 255;
  if (named > 0 && !known) {
    checkup.find(dataset_findings::class_names,
                 {{}, 0, std::to_string(named) + " names, 2 to 255 are possible"});
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(root, ignored)) {
    checkup.find(dataset_findings::no_dataset, {root.string(), 0, {}});
    return checkup;
  }
  const DatasetLayout layout = check_folders(root, options.layout, checkup);
  checkup.fact("layout", layout.name + ": " + layout.color_folder + ", " + layout.depth_folder + ", " +
                             layout.label_folder + "; depth as " +
                             std::string(to_string(layout.depth.encoding)));

  ListCheck lists(root, layout, checkup);
  std::vector<DatasetItem> chosen;
  for (const std::string& name : options.lists) {
    const CheckedList list = lists.check(name);
    const std::size_t size = list.items.size();
    const std::size_t count = options.most_decoded == 0 ? size : std::min(size, options.most_decoded);
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(list.items[i * size / count]);
    checkup.lists.push_back({name, size, count});
    if (list.lines == 0) continue;
    checkup.fact(name, std::to_string(list.lines) + " lines, " + std::to_string(count) + " items decoded" +
                           (count < size ? "; --all decodes every one" : ""));
  }
  lists.check_unlisted();

  const auto workers = static_cast<std::size_t>(options.threads > 1 ? options.threads : 0);
  OrderedPrefetch<CheckedItem> items(0, chosen.size(), static_cast<int>(workers), 4 * workers,
                                     [&](std::size_t i) { return check_item(chosen[i], layout); });
  LabelCheck labels(layout.numbering, known ? options.num_classes : 0);
  detail::DatasetSummary summary;
  for (std::size_t done = 1; items.has_next(); ++done) {
    const CheckedItem item = items.next();
    for (const auto& [kind, place] : item.found) checkup.find(*kind, place);
    if (!item.label_file.empty()) labels.add(item.label_file, item.labels);
    summary.add(item);
    if (options.progress) options.progress(done, chosen.size());
  }
  labels.judge(options.names, checkup);
  checkup.labels = labels.counts();
  checkup.largest = summary.largest();
  summary.state(checkup);
  if (labels.highest() >= 0) detail::state_labels(labels, options, checkup);
  checkup.sort();
  return checkup;
}

}  // namespace dformer
