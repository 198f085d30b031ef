#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <dformer/data/image_error.hpp>
#include <dformer/data/jpeg_end.hpp>

namespace dformer::detail {

/// Decodes an image file; `flags` are OpenCV's. Throws: ImageError when it is missing, damaged or no image.
inline cv::Mat decode_image(const std::filesystem::path& file, int flags) {
  const std::string name = file.string();
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(file, ignored);
  if (!std::filesystem::exists(status)) throw_image_error(name, "no such file; expected an image file");
  if (std::filesystem::is_directory(status)) throw_image_error(name, "is a folder; expected an image file");
  if (!std::filesystem::is_regular_file(status)) {
    throw_image_error(name, "is no ordinary file; expected an image file");
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::filesystem::file_size(file, ignored)));
  std::ifstream stream(file, std::ios::binary);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw_image_error(name, "cannot be read; check that you may read it");
  if (is_truncated_jpeg(bytes)) {
    throw_image_error(name, "is a JPEG image that breaks off before its end; fetch it again");
  }
  cv::Mat image;
  std::string reason;
  try {
    if (!bytes.empty()) image = cv::imdecode(bytes, flags);
  } catch (const cv::Exception& error) {  // a header with absurd extents
    reason = " (" + error.err + ")";
  }
  if (image.empty()) {
    throw_image_error(name, "cannot be decoded" + reason +
                                "; expected a readable, undamaged PNG, JPEG, TIFF, BMP or WebP image");
  }
  return image;
}

}  // namespace dformer::detail
