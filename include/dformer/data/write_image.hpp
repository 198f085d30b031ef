#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/lower_case.hpp>
#include <dformer/data/describe_image.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/data/label_numbering.hpp>

namespace dformer {

namespace detail {

inline void encode_and_write(const std::filesystem::path& file, const cv::Mat& image) {
  std::vector<std::uint8_t> bytes;
  bool encoded = false;
  std::string reason;
  try {
    encoded = cv::imencode(lower_case(file.extension().string()), image, bytes);
  } catch (const cv::Exception& error) {
    reason = " (" + error.err + ")";
  }
  if (!encoded) {
    throw_image_error(file.string(),
                      "this kind of file cannot be written" + reason + "; use the extension .png");
  }
  write_file_atomically(file, std::as_bytes(std::span(bytes)));
}

}  // namespace detail

/// Writes a picture, [H, W] 8-bit with 1 or 3 channels (B, G, R), in the format of the extension. The file
/// appears complete or not at all. Throws: ImageError, FileError, naming the file.
inline void write_picture(const std::filesystem::path& file, const cv::Mat& picture) {
  if (picture.empty() || (picture.type() != CV_8UC3 && picture.type() != CV_8UC1)) {
    throw_image_error(file.string(),
                      "expected an 8-bit picture with 1 or 3 channels, got " + describe(picture));
  }
  detail::encode_and_write(file, picture);
}

/// Writes a label map, [H, W] 8-bit class indices, losslessly. The file appears complete or not at all.
/// Throws: FileError, ImageError, naming the file; the latter for an extension other than .png (JPEG would
/// change the classes) and for class 254 with `from_one`, whose number would be 255.
inline void write_labels(const std::filesystem::path& file, const cv::Mat& labels,
                         LabelNumbering numbering = LabelNumbering::from_zero) {
  if (labels.empty() || labels.type() != CV_8UC1) {
    throw_image_error(file.string(), "expected a label map, 8-bit with 1 channel, got " + describe(labels));
  }
  if (lower_case(file.extension().string()) != ".png") {
    throw_image_error(file.string(),
                      "label maps are written as .png only; lossy formats would change the classes");
  }
  if (numbering == LabelNumbering::from_zero) return detail::encode_and_write(file, labels);
  cv::Mat shifted(labels.size(), CV_8UC1);
  for (int y = 0; y < labels.rows; ++y) {
    const std::uint8_t* from = labels.ptr<std::uint8_t>(y);
    std::uint8_t* to = shifted.ptr<std::uint8_t>(y);
    for (int x = 0; x < labels.cols; ++x) {
      if (from[x] == 254) throw_image_error(file.string(), "class 254 has no number when counting from one");
      to[x] = static_cast<std::uint8_t>(from[x] + 1);
    }
  }
  detail::encode_and_write(file, shifted);
}

}  // namespace dformer
