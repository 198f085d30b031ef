#pragma once

#include <string>

#include <opencv2/core.hpp>

namespace dformer {

/// "480x640": height and width, as in shapes and in options of programs.
inline std::string describe(const cv::Size& size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

/// "480x640 16-bit, 1 channel": what an error message says about the image it was given.
inline std::string describe(const cv::Mat& image) {
  if (image.empty()) return "an empty image";
  if (image.dims != 2) return "an array of " + std::to_string(image.dims) + " dimensions";
  std::string text = describe(image.size()) + " ";
  switch (image.depth()) {
    case CV_8U:
      text += "8-bit";
      break;
    case CV_8S:
      text += "signed 8-bit";
      break;
    case CV_16U:
      text += "16-bit";
      break;
    case CV_16S:
      text += "signed 16-bit";
      break;
    case CV_32S:
      text += "32-bit integer";
      break;
    case CV_32F:
      text += "32-bit float";
      break;
    case CV_64F:
      text += "64-bit float";
      break;
    default:
      text += "16-bit float";
      break;
  }
  return text + ", " + std::to_string(image.channels()) + (image.channels() == 1 ? " channel" : " channels");
}

}  // namespace dformer
