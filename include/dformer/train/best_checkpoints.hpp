#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace dformer {

/// The best checkpoints of a run by mIoU, in one folder, named as the official code names them:
/// `epoch-{epoch}_miou_{percent}.pth`. The folder is the memory, so a resumed run knows those before it.
class BestCheckpoints {
 public:
  struct Entry {
    std::filesystem::path file;
    double miou;  ///< in percent
  };

  /// Keeps `count` of them; 0 keeps none.
  BestCheckpoints(std::filesystem::path folder, std::size_t count)
      : folder_(std::move(folder)), count_(count) {
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(folder_, ignored)) {
      const std::string name = file.path().filename().string();
      int epoch = 0;
      double miou = 0;
      int length = 0;
      if (std::sscanf(name.c_str(), "epoch-%d_miou_%lf.pth%n", &epoch, &miou, &length) == 2 &&
          static_cast<std::size_t>(length) == name.size()) {
        entries_.push_back({file.path(), miou});
      }
    }
    sort();
  }

  /// The best first.
  const std::vector<Entry>& entries() const { return entries_; }

  /// Calls `save(file)` if a score is among the best, and then removes what no longer is. Returns whether it
  /// was saved. `miou` is in percent.
  template <class Save>
  bool offer(std::int64_t epoch, double miou, const Save& save) {
    if (count_ == 0) return false;
    const double rounded = std::round(miou * 100.0) / 100.0;
    if (entries_.size() >= count_ && rounded <= entries_.back().miou) return false;
    char name[64];
    std::snprintf(name, sizeof name, "epoch-%lld_miou_%.2f.pth", static_cast<long long>(epoch), rounded);
    const std::filesystem::path file = folder_ / name;
    save(file);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.file == file; });
    entries_.push_back({file, rounded});
    sort();
    while (entries_.size() > count_) {
      std::error_code ignored;
      std::filesystem::remove(entries_.back().file, ignored);
      entries_.pop_back();
    }
    return true;
  }

 private:
  void sort() {
    std::ranges::stable_sort(entries_, [](const Entry& a, const Entry& b) { return a.miou > b.miou; });
  }

  std::filesystem::path folder_;
  std::size_t count_;
  std::vector<Entry> entries_;
};

}  // namespace dformer
