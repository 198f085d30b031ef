#pragma once

#include <algorithm>

#include <opencv2/core.hpp>

namespace dformer::detail {

/// A picture with a panel to its right, both 8-bit B, G, R, aligned at the top on light paper.
inline cv::Mat place_beside(const cv::Mat& picture, const cv::Mat& panel) {
  cv::Mat canvas(std::max(picture.rows, panel.rows), picture.cols + panel.cols, CV_8UC3,
                 cv::Scalar(252, 252, 252));
  picture.copyTo(canvas(cv::Rect(0, 0, picture.cols, picture.rows)));
  panel.copyTo(canvas(cv::Rect(picture.cols, 0, panel.cols, panel.rows)));
  return canvas;
}

}  // namespace dformer::detail
