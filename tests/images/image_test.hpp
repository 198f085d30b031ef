#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <unistd.h>

namespace dformer::testing {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(DFORMER_TEST_DATA) / name;
}

/// A file of one of the real image pairs.
inline std::filesystem::path sample(const std::string& name, const std::string& file) {
  return std::filesystem::path(DFORMER_TEST_DATA) / ".." / ".." / "samples" / name / file;
}

/// A folder that lasts as long as the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dformer-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create a temporary folder");
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      result.push_back(entry.path().filename().string());
    }
    return result;
  }

 private:
  std::filesystem::path path_;
};

/// The text of the Exception that `call` throws; a failure where it throws none.
template <class Exception, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline void expect_mentions(const std::string& text, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), text.npos) << "\"" << part << "\" is missing in: " << text;
  }
}

/// An image of one row.
template <class Pixel>
cv::Mat row_of(std::initializer_list<Pixel> values) {
  cv::Mat image(1, static_cast<int>(values.size()), cv::DataType<Pixel>::type);
  int x = 0;
  for (Pixel value : values) image.at<Pixel>(0, x++) = value;
  return image;
}

inline std::vector<int> bytes_of(const cv::Mat& image) {
  std::vector<int> result;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) result.push_back(image.at<std::uint8_t>(y, x));
  }
  return result;
}

inline bool same_pixels(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

}  // namespace dformer::testing
