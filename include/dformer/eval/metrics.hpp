#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/eval/confusion_matrix.hpp>

namespace dformer {

/// What a class whose ratio is 0 / 0 (it is neither in the truth nor predicted) does to a mean.
enum class AbsentClasses {
  official,  ///< it counts as 0, as in DFormer's evaluation: the published scores
  standard,  ///< it is left out
};

constexpr std::string_view to_string(AbsentClasses absent) {
  return absent == AbsentClasses::official ? "official" : "standard";
}

/// Throws: ArgumentError.
inline AbsentClasses parse_absent_classes(std::string_view word) {
  if (word == to_string(AbsentClasses::official)) return AbsentClasses::official;
  if (word == to_string(AbsentClasses::standard)) return AbsentClasses::standard;
  throw_argument_error("[absent classes] expected official or standard, got '" + std::string(word) + "'");
}

/// Shares, 0 … 1. Values of single classes are NaN where they are 0 / 0.
struct Metrics {
  AbsentClasses absent = AbsentClasses::official;
  std::vector<double> iou{};       ///< intersection over union of each class
  std::vector<double> accuracy{};  ///< recall of each class
  std::vector<double> f1{};
  double miou = 0;   ///< mean of iou
  double macc = 0;   ///< mean of accuracy
  double mf1 = 0;    ///< mean of f1
  double aacc = 0;   ///< accuracy over all pixels; NaN where none counts
  double fwiou = 0;  ///< iou weighted by the pixels of each class; NaN where none counts
};

/// The mean of the values of single classes. NaN where all are left out.
inline double class_mean(const std::vector<double>& values, AbsentClasses absent) {
  double sum = 0;
  std::size_t present = 0;
  for (double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++present;
  }
  return sum / static_cast<double>(absent == AbsentClasses::official ? values.size() : present);
}

inline Metrics compute_metrics(const ConfusionMatrix& confusion,
                               AbsentClasses absent = AbsentClasses::official) {
  const auto ratio = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                      : static_cast<double>(part) / static_cast<double>(whole);
  };
  Metrics result{.absent = absent};
  std::int64_t correct = 0;
  std::int64_t pixels = 0;
  double weighted = 0;
  for (int k = 0; k < confusion.num_classes(); ++k) {
    const std::int64_t hit = confusion.count(k, k);
    const std::int64_t truth = confusion.truth_count(k);
    const std::int64_t predicted = confusion.predicted_count(k);
    result.iou.push_back(ratio(hit, truth + predicted - hit));
    result.accuracy.push_back(ratio(hit, truth));
    result.f1.push_back(ratio(2 * hit, truth + predicted));
    if (truth > 0) weighted += static_cast<double>(truth) * result.iou.back();
    correct += hit;
    pixels += truth;
  }
  result.miou = class_mean(result.iou, absent);
  result.macc = class_mean(result.accuracy, absent);
  result.mf1 = class_mean(result.f1, absent);
  result.aacc = ratio(correct, pixels);
  result.fwiou = pixels == 0 ? result.aacc : weighted / static_cast<double>(pixels);
  return result;
}

/// "44.32": a share in percent with two decimals, as scores are published; "-" for NaN.
inline std::string percent_text(double share) {
  if (std::isnan(share)) return "-";
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", 100 * share);
  return text;
}

}  // namespace dformer
