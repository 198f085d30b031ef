#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <dformer/core/finding.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/data/dataset_findings.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/jpeg_end.hpp>
#include <dformer/data/label_counts.hpp>

namespace dformer {

/// What the three files of an item hold.
struct CheckedItem {
  std::vector<std::pair<const FindingKind*, Place>> found{};
  cv::Size size{};           ///< of the colour image; 0x0 where it cannot be read
  std::string depth_type{};  ///< "16-bit, 1 channel"; empty where it cannot be read
  double depth_low = 0;      ///< as stored, of the valid pixels
  double depth_high = 0;
  double depth_median = 0;
  std::string label_file{};  ///< empty where there are no class numbers
  LabelCounts labels{};      ///< as stored
};

namespace detail {

/// Reads and compares the files of one item.
class ItemCheck {
 public:
  ItemCheck(const DatasetItem& files, const DatasetLayout& layout) : files_(files), layout_(layout) {}

  CheckedItem run() {
    const cv::Mat color = decode(files_.color);
    attempt(dataset_findings::color_type, files_.color, [&] {
      if (!color.empty()) require_color(color, files_.color.string());
    });
    item_.size = color.size();
    check_depth(decode(files_.depth));
    check_labels(decode(files_.labels));
    return std::move(item_);
  }

 private:
  /// Empty, and a finding unless the file is missing altogether, where it cannot be decoded.
  cv::Mat decode(const std::filesystem::path& file) {
    cv::Mat image;
    attempt(dataset_findings::unreadable_image, file, [&] {
      if (!file.empty()) image = decode_image(file, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH);
    });
    return image;
  }

  void check_depth(const cv::Mat& depth) {
    if (depth.empty()) return;
    compare_size(dataset_findings::depth_size, files_.depth, depth);
    const std::string type = describe(depth);
    item_.depth_type = type.substr(type.find(' ') + 1);
    if (depth.channels() == 1) measure_depth(depth);
    attempt(dataset_findings::depth_type, files_.depth, [&] {
      for (const std::string& warning :
           encode_depth(depth, layout_.depth.encoding, layout_.depth.holes, files_.depth.string()).warnings) {
        add(dataset_findings::suspicious_depth, files_.depth, warning);
      }
    });
  }

  void measure_depth(const cv::Mat& depth) {
    cv::Mat valid = depth > 0;
    if (depth.depth() == CV_16U) valid &= depth < 65535;
    if (depth.depth() == CV_32F) valid &= depth < std::numeric_limits<float>::infinity();
    if (depth.depth() == CV_8U) valid.setTo(255);
    cv::minMaxLoc(depth, &item_.depth_low, &item_.depth_high, nullptr, nullptr, valid);
    if (depth.depth() == CV_16U) item_.depth_median = summarize_depth<std::uint16_t>(depth).median;
    if (depth.depth() == CV_32F) item_.depth_median = summarize_depth<float>(depth).median;
  }

  void check_labels(const cv::Mat& labels) {
    if (labels.empty()) return;
    compare_size(dataset_findings::label_size, files_.labels, labels);
    if (is_jpeg(files_.labels)) {
      add(dataset_findings::lossy_labels, files_.labels, "is a JPEG image, by its first bytes");
    }
    if (labels.type() != CV_8UC1) {
      const bool colored = labels.channels() > 1;
      add(dataset_findings::label_type, files_.labels,
          describe(labels) + (colored ? ": labels in colours, or a palette" : ""));
      return;
    }
    item_.label_file = files_.labels.string();
    item_.labels.add(labels);
  }

  static bool is_jpeg(const std::filesystem::path& file) {
    std::array<char, 3> start{};
    std::ifstream(file, std::ios::binary).read(start.data(), start.size());
    return begins_like_jpeg(std::array{static_cast<std::uint8_t>(start[0]),
                                       static_cast<std::uint8_t>(start[1]),
                                       static_cast<std::uint8_t>(start[2])});
  }

  void compare_size(const FindingKind& kind, const std::filesystem::path& file, const cv::Mat& image) {
    if (item_.size.empty() || image.size() == item_.size) return;
    add(kind, file, describe(image.size()) + ", colour is " + describe(item_.size) + " (height x width)");
  }

  /// What `work` throws is a finding.
  template <class Work>
  void attempt(const FindingKind& kind, const std::filesystem::path& file, const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      add(kind, file, without_subject(error.what(), file.string()));
    }
  }
  void add(const FindingKind& kind, const std::filesystem::path& file, std::string what) {
    item_.found.emplace_back(&kind, Place{file.string(), 0, std::move(what)});
  }

  const DatasetItem& files_;
  const DatasetLayout& layout_;
  CheckedItem item_;
};

}  // namespace detail

/// Decodes the files of an item and says all that is wrong with them. An image whose path is empty is
/// skipped. May be called from several threads.
inline CheckedItem check_item(const DatasetItem& files, const DatasetLayout& layout) {
  return detail::ItemCheck(files, layout).run();
}

}  // namespace dformer
