#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <dformer/data/depth_encoding.hpp>
#include <dformer/data/label_numbering.hpp>
#include <dformer/data/read_images.hpp>

namespace dformer {

/// Where a data set keeps its images, below its own folder, and how they are stored. The three images of one
/// item share a stem: `RGB/2.jpg`, `Depth/2.png`, `Label/2.png`.
struct DatasetLayout {
  std::string name;
  std::string color_folder;
  std::string depth_folder;
  std::string label_folder;
  LabelNumbering numbering = LabelNumbering::from_one;
  DepthOptions depth{};

  /// Of colour, depth and labels.
  std::array<std::string, 3> folders() const { return {color_folder, depth_folder, label_folder}; }
};

/// NYUDepthv2 as DFormer's authors distribute it; also the layout that they ask of data of one's own.
inline DatasetLayout nyu_depth_v2_layout() {
  return {.name = "NYUDepthv2", .color_folder = "RGB", .depth_folder = "Depth", .label_folder = "Label"};
}

/// SUNRGBD as DFormer's authors distribute it: the folder of labels is named otherwise.
inline DatasetLayout sunrgbd_layout() {
  return {.name = "SUNRGBD", .color_folder = "RGB", .depth_folder = "Depth", .label_folder = "labels"};
}

/// NYUv2 as AsymFormer's authors distribute it: other folders, depth in 16-bit millimetres, bare names in the
/// lists. Depth becomes the picture that DFormer expects.
inline DatasetLayout asymformer_layout() {
  return {.name = "NYUv2 (AsymFormer)",
          .color_folder = "images",
          .depth_folder = "depths",
          .label_folder = "labels",
          .depth = {.encoding = MillimetreDepth{}}};
}

/// The layouts by the words that programs know them by.
struct KnownLayout {
  std::string_view word;
  DatasetLayout (*make)();
};
inline constexpr std::array<KnownLayout, 3> known_layouts{
    {{"nyudepthv2", nyu_depth_v2_layout}, {"sunrgbd", sunrgbd_layout}, {"asymformer", asymformer_layout}}};

/// Whether all folders of a layout are there.
inline bool has_folders(const std::filesystem::path& root, const DatasetLayout& layout) {
  std::error_code ignored;
  for (const std::string& folder : layout.folders()) {
    if (!std::filesystem::is_directory(root / folder, ignored)) return false;
  }
  return true;
}

}  // namespace dformer
