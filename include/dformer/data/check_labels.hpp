#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <dformer/core/finding.hpp>
#include <dformer/data/classes.hpp>
#include <dformer/data/dataset_findings.hpp>
#include <dformer/data/label_counts.hpp>
#include <dformer/data/label_numbering.hpp>

namespace dformer {

/// The labels of a data set as they are stored, and what they say of its classes.
class LabelCheck {
 public:
  /// `num_classes` is 0 where it is not known.
  LabelCheck(LabelNumbering numbering, int num_classes) : numbering_(numbering), classes_(num_classes) {}

  void add(std::string file, const LabelCounts& labels) {
    std::bitset<256> present;
    for (std::size_t label = 0; label < 256; ++label) {
      counts_.pixels[label] += labels.pixels[label];
      present[label] = labels.pixels[label] > 0;
    }
    files_.push_back({std::move(file), present});
    present_ |= present;
  }

  const LabelCounts& counts() const { return counts_; }
  bool from_one() const { return numbering_ == LabelNumbering::from_one; }
  int ignored() const { return from_one() ? 0 : ignored_label; }
  bool has(int label) const { return present_[static_cast<std::size_t>(label)]; }
  /// The highest label but 255; -1 where there is none.
  int highest() const {
    for (int label = 254; label >= 0; --label) {
      if (has(label)) return label;
    }
    return -1;
  }
  double share(int label) const { return counts_.share(static_cast<std::size_t>(label)); }

  void judge(const ClassList& names, Checkup& checkup) const {
    if (files_.empty()) return;
    const bool wrong = classes_ > 0 && judge_numbers(checkup);
    if (wrong) return;
    if (share(ignored()) > 0.5) {
      const auto percent = static_cast<int>(100 * share(ignored()));
      checkup.find(
          dataset_findings::mostly_ignored,
          {{}, 0, std::to_string(percent) + " % have the ignored label " + std::to_string(ignored())});
    }
    for (const File& file : files_) {
      std::bitset<256> others = file.present;
      others[static_cast<std::size_t>(ignored())] = false;
      if (others.none()) checkup.find(dataset_findings::nothing_labelled, {file.name, 0, {}});
    }
    judge_absent(names, checkup);
  }

 private:
  struct File {
    std::string name;
    std::bitset<256> present;
  };

  /// True where numbers cannot be right, so that what is counted by them means nothing.
  bool judge_numbers(Checkup& checkup) const {
    const int last = from_one() ? classes_ : classes_ - 1;
    const std::string range = std::to_string(classes_) + " classes from " + (from_one() ? "1" : "0") +
                              " on end at " + std::to_string(last);
    if (from_one() && has(255)) {
      if (looks_numbered_from_zero()) {
        checkup.find(dataset_findings::label_offset,
                     {{},
                      0,
                      "0 to " + std::to_string(highest()) +
                          " and 255 occur: numbered from 0, with 255 for what is ignored"});
      } else {
        find_files(dataset_findings::label_255, 255, 255, "", checkup);
      }
    }
    if (!from_one() && highest() == classes_) {
      checkup.find(dataset_findings::label_offset, {{},
                                                    0,
                                                    std::to_string(classes_) + " occurs, but " + range +
                                                        ": numbered from 1, with 0 for what is ignored"});
    } else if (highest() > last) {
      find_files(dataset_findings::label_out_of_range, last + 1, 254, "; " + range, checkup);
    }
    if (from_one() && !has(255) && looks_numbered_from_zero()) {
      checkup.find(dataset_findings::likely_label_offset,
                   {{},
                    0,
                    "every number from 0 to " + std::to_string(last - 1) + " occurs and " +
                        std::to_string(last) + " does not"});
    }
    return checkup.has(dataset_findings::label_offset) || checkup.has(dataset_findings::label_out_of_range) ||
           checkup.has(dataset_findings::label_255);
  }

  /// Every class has a pixel then, and would have none too many.
  bool looks_numbered_from_zero() const {
    for (int label = 0; label < classes_; ++label) {
      if (!has(label)) return false;
    }
    return highest() == classes_ - 1;
  }

  /// Each file that has one of these labels.
  void find_files(const FindingKind& kind, int first, int last, const std::string& end,
                  Checkup& checkup) const {
    for (const File& file : files_) {
      int label = last;
      while (label >= first && !file.present[static_cast<std::size_t>(label)]) --label;
      if (label >= first) checkup.find(kind, {file.name, 0, "label " + std::to_string(label) + end});
    }
  }

  void judge_absent(const ClassList& names, Checkup& checkup) const {
    for (int k = 0; k < classes_; ++k) {
      if (!has(from_one() ? k + 1 : k))
        checkup.find(dataset_findings::absent_classes, {{}, 0, names.name(static_cast<std::size_t>(k))});
    }
  }

  LabelNumbering numbering_;
  int classes_;
  LabelCounts counts_;
  std::bitset<256> present_;
  std::vector<File> files_;
};

}  // namespace dformer
