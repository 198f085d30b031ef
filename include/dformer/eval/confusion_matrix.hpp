#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/error.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/data/label_numbering.hpp>

namespace dformer {

/// How many pixels of each class were taken for each class. Ignored pixels are not counted.
class ConfusionMatrix {
 public:
  /// Throws: ArgumentError for a number of classes that is not 1 to 255.
  explicit ConfusionMatrix(int num_classes) : num_classes_(num_classes) {
    if (num_classes < 1 || num_classes > 255) {
      throw_argument_error("[confusion matrix] expected 1 to 255 classes, got " +
                           std::to_string(num_classes));
    }
    counts_.resize(static_cast<std::size_t>(num_classes) * static_cast<std::size_t>(num_classes));
  }

  int num_classes() const { return num_classes_; }

  /// Pixels of class `truth` that were taken for class `predicted`.
  std::int64_t count(int truth, int predicted) const {
    return counts_[static_cast<std::size_t>(truth * num_classes_ + predicted)];
  }
  /// Pixels of a class.
  std::int64_t truth_count(int truth) const {
    std::int64_t sum = 0;
    for (int k = 0; k < num_classes_; ++k) sum += count(truth, k);
    return sum;
  }
  /// Pixels that were taken for a class.
  std::int64_t predicted_count(int predicted) const {
    std::int64_t sum = 0;
    for (int k = 0; k < num_classes_; ++k) sum += count(k, predicted);
    return sum;
  }
  /// Row-major, a row for each true class.
  const std::vector<std::int64_t>& counts() const { return counts_; }

  /// Counts one image: class indices [H, W] 8-bit, where 255 in `truth` is ignored. Throws: ImageError for
  /// maps of two sizes or of another type, and for an index that is no class; then nothing was counted.
  void add(const cv::Mat& truth, const cv::Mat& predicted) {
    if (truth.empty() || truth.type() != CV_8UC1 || predicted.type() != CV_8UC1 ||
        truth.size() != predicted.size()) {
      throw_image_error("confusion matrix",
                        "expected two label maps of one size, 8-bit with 1 channel, got truth " +
                            describe(truth) + " and prediction " + describe(predicted));
    }
    std::vector<std::int64_t> counts = counts_;
    for (int y = 0; y < truth.rows; ++y) {
      const std::uint8_t* t = truth.ptr<std::uint8_t>(y);
      const std::uint8_t* p = predicted.ptr<std::uint8_t>(y);
      for (int x = 0; x < truth.cols; ++x) {
        if (t[x] == ignored_label) continue;
        if (t[x] >= num_classes_ || p[x] >= num_classes_) throw_no_class(t[x], p[x]);
        ++counts[static_cast<std::size_t>(t[x] * num_classes_ + p[x])];
      }
    }
    counts_ = std::move(counts);
  }

  /// Adds the counts of another part of the data. Throws: ArgumentError for another number of classes.
  ConfusionMatrix& operator+=(const ConfusionMatrix& other) {
    if (other.num_classes_ != num_classes_) {
      throw_argument_error("[confusion matrix] " + std::to_string(num_classes_) + " and " +
                           std::to_string(other.num_classes_) + " classes cannot be added");
    }
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    return *this;
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void throw_no_class(int truth, int predicted) const {
    throw_image_error("confusion matrix", "expected classes 0 to " + std::to_string(num_classes_ - 1) +
                                              " (255 is ignored in the truth), got truth " +
                                              std::to_string(truth) + " and prediction " +
                                              std::to_string(predicted));
  }

  int num_classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace dformer
