#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <dformer/core/random.hpp>
#include <dformer/data/scene/noise.hpp>
#include <dformer/data/scene/vec3.hpp>

namespace dformer::scene {

/// Linear light of (width · samples) x (height · samples) points, averaged to pixels: [height, width] float,
/// blue, green, red.
inline cv::Mat gather_light(const std::vector<Color>& light, int width, int height, int samples) {
  cv::Mat image(height, width, CV_32FC3);
  const float share = 1.0f / static_cast<float>(samples * samples);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      Color sum;
      for (int v = 0; v < samples; ++v) {
        for (int u = 0; u < samples; ++u) {
          const Color c =
              light[static_cast<std::size_t>(y * samples + v) * static_cast<std::size_t>(width * samples) +
                    static_cast<std::size_t>(x * samples + u)];
          // A sample brighter than white would fray the edges of lamps and windows.
          sum += Color{std::min(c.x, 3.0f), std::min(c.y, 3.0f), std::min(c.z, 3.0f)};
        }
      }
      image.at<cv::Vec3f>(y, x) = {sum.z * share, sum.y * share, sum.x * share};
    }
  }
  return image;
}

/// A picture as a cheap colour camera takes it: exposed for its mean, not quite white, darker in the corners,
/// a little soft, noisy. [H, W] 8-bit B, G, R.
inline cv::Mat expose(const cv::Mat& light, RandomStream& random) {
  cv::Mat soft;
  const float blur = random.uniform(0.35f, 0.75f) * std::max(1.0f, static_cast<float>(light.cols) / 640);
  cv::GaussianBlur(light, soft, {5, 5}, static_cast<double>(blur));
  double mean = 0;  // of the square root, which is near to what an eye calls brightness
  for (int y = 0; y < soft.rows; ++y) {
    for (int x = 0; x < soft.cols; ++x)
      mean += static_cast<double>(std::sqrt(std::min(1.5f, soft.at<cv::Vec3f>(y, x)[1])));
  }
  mean = std::max(mean / static_cast<double>(soft.total()), 1e-3);
  const float brightness = random.uniform(0.38f, 0.58f) / static_cast<float>(mean);
  const float exposure = brightness * brightness;
  const cv::Vec3f balance{random.uniform(0.88f, 1.1f), 1.0f, random.uniform(0.92f, 1.12f)};
  const float corner = random.uniform(0.0f, 0.3f);
  const float noise = random.uniform(0.006f, 0.02f);
  const std::array<std::uint32_t, 2> key{random.bits(), random.bits()};

  cv::Mat picture(soft.size(), CV_8UC3);
  for (int y = 0; y < soft.rows; ++y) {
    for (int x = 0; x < soft.cols; ++x) {
      const float u = 2 * static_cast<float>(x) / static_cast<float>(soft.cols) - 1;
      const float v = 2 * static_cast<float>(y) / static_cast<float>(soft.rows) - 1;
      const float gain = exposure * (1 - corner * (u * u + v * v) / 2);
      const auto bits = philox4x32({static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 1, 0}, key);
      for (int c = 0; c < 3; ++c) {
        const float value = std::sqrt(soft.at<cv::Vec3f>(y, x)[c] * gain * balance[c]);
        picture.at<cv::Vec3b>(y, x)[c] = cv::saturate_cast<std::uint8_t>(
            255 * (value + noise * triangular_float(bits[static_cast<std::size_t>(c)])));
      }
    }
  }
  return picture;
}

}  // namespace dformer::scene
