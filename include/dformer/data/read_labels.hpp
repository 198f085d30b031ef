#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <dformer/data/decode_image.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/label_numbering.hpp>

namespace dformer {
namespace detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_label_out_of_range(int stored, int x, int y,
                                                                            LabelNumbering numbering,
                                                                            int num_classes,
                                                                            const std::string& subject) {
  const std::string count = std::to_string(num_classes);
  std::string text =
      "label " + std::to_string(stored) + " at column " + std::to_string(x) + ", row " + std::to_string(y);
  if (numbering == LabelNumbering::from_one) {
    text += " is out of range: with " + count + " classes labels run from 1 to " + count +
            ", and 0 is ignored; is the number of classes right, or are the labels numbered from 0?";
  } else {
    text += " is out of range: with " + count + " classes labels run from 0 to " +
            std::to_string(num_classes - 1) +
            ", and 255 is ignored; is the number of classes right, or are the labels numbered from 1?";
  }
  throw_image_error(subject, text);
}

}  // namespace detail

/// Class indices, [H, W] 8-bit with 255 for ignored pixels, from a label map as it is stored.
/// Throws: ImageError for another type of image and for a label that is no class.
inline cv::Mat decode_labels(const cv::Mat& stored, LabelNumbering numbering, int num_classes,
                             const std::string& subject = "labels") {
  if (stored.empty() || stored.type() != CV_8UC1) {
    throw_image_error(subject, "a label map must be 8-bit with 1 channel that holds class numbers, got " +
                                   describe(stored) +
                                   "; a picture of labels in colours cannot be taken for one");
  }
  const int shift = numbering == LabelNumbering::from_one ? 1 : 0;
  const int ignored = numbering == LabelNumbering::from_one ? 0 : ignored_label;
  cv::Mat labels(stored.size(), CV_8UC1);
  for (int y = 0; y < stored.rows; ++y) {
    const std::uint8_t* from = stored.ptr<std::uint8_t>(y);
    std::uint8_t* to = labels.ptr<std::uint8_t>(y);
    for (int x = 0; x < stored.cols; ++x) {
      const int value = from[x];
      if (value == ignored) {
        to[x] = ignored_label;
      } else if (value - shift < num_classes) {
        to[x] = static_cast<std::uint8_t>(value - shift);
      } else {
        detail::throw_label_out_of_range(value, x, y, numbering, num_classes, subject);
      }
    }
  }
  return labels;
}

/// The same from a file. Throws: ImageError, which names the file.
inline cv::Mat read_labels(const std::filesystem::path& file, LabelNumbering numbering, int num_classes) {
  return decode_labels(detail::decode_image(file, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH), numbering,
                       num_classes, file.string());
}

}  // namespace dformer
