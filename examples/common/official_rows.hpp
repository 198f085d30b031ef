#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <dformer/data/classes.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer::programs {

/// One row of the official tables: a network trained on a data set.
struct OfficialRow {
  std::string_view name;  ///< as the recipe in examples/recipes
  std::string_view model;
  OfficialDataset dataset;
  std::string_view checkpoint;  ///< the file as it is published
  double miou;                  ///< percent, as published: multi-scale and flip, all images of the test list

  std::string_view dataset_name() const {
    return dataset == OfficialDataset::sunrgbd ? "sunrgbd" : "nyudepthv2";
  }
  /// The folder of the data set under that of all data sets.
  std::string_view folder() const { return dataset == OfficialDataset::sunrgbd ? "SUNRGBD" : "NYUDepthv2"; }
  std::size_t images() const { return dataset == OfficialDataset::sunrgbd ? 5050 : 654; }
  std::size_t num_classes() const {
    return dataset == OfficialDataset::sunrgbd ? sunrgbd_classes.size() : nyu_depth_v2_classes.size();
  }
};

/// The scores are those of the papers (DFormer, ICLR 2024, table 1; DFormerv2, CVPR 2025, table 1).
inline constexpr std::array<OfficialRow, 14> official_rows = [] {
  constexpr auto nyu = OfficialDataset::nyu_depth_v2;
  constexpr auto sun = OfficialDataset::sunrgbd;
  return std::array<OfficialRow, 14>{{
      {"DFormer_Tiny_nyudepthv2", "DFormer_Tiny", nyu, "NYUv2_DFormer_Tiny.pth", 51.8},
      {"DFormer_Small_nyudepthv2", "DFormer_Small", nyu, "NYUv2_DFormer_Small.pth", 53.6},
      {"DFormer_Base_nyudepthv2", "DFormer_Base", nyu, "NYUv2_DFormer_Base.pth", 55.6},
      {"DFormer_Large_nyudepthv2", "DFormer_Large", nyu, "NYUv2_DFormer_Large.pth", 57.2},
      {"DFormerv2_S_nyudepthv2", "DFormerv2_S", nyu, "DFormerv2_Small_NYU.pth", 56.0},
      {"DFormerv2_B_nyudepthv2", "DFormerv2_B", nyu, "DFormerv2_Base_NYU.pth", 57.7},
      {"DFormerv2_L_nyudepthv2", "DFormerv2_L", nyu, "DFormerv2_Large_NYU.pth", 58.4},
      {"DFormer_Tiny_sunrgbd", "DFormer_Tiny", sun, "SUNRGBD_DFormer_Tiny.pth", 48.8},
      {"DFormer_Small_sunrgbd", "DFormer_Small", sun, "SUNRGBD_DFormer_Small.pth", 50.0},
      {"DFormer_Base_sunrgbd", "DFormer_Base", sun, "SUNRGBD_DFormer_Base.pth", 51.2},
      {"DFormer_Large_sunrgbd", "DFormer_Large", sun, "SUNRGBD_DFormer_Large.pth", 52.5},
      {"DFormerv2_S_sunrgbd", "DFormerv2_S", sun, "DFormerv2_Small_SUNRGBD.pth", 51.5},
      {"DFormerv2_B_sunrgbd", "DFormerv2_B", sun, "DFormerv2_Base_SUNRGBD.pth", 52.8},
      {"DFormerv2_L_sunrgbd", "DFormerv2_L", sun, "DFormerv2_Large_SUNRGBD.pth", 53.3},
  }};
}();

/// A file of that name anywhere under a folder: the downloads come in folders of several shapes.
inline std::optional<std::filesystem::path> find_below(const std::filesystem::path& folder,
                                                       std::string_view name) {
  using Iterator = std::filesystem::recursive_directory_iterator;
  std::error_code error;
  for (Iterator entry(folder, std::filesystem::directory_options::skip_permission_denied, error);
       !error && entry != Iterator(); entry.increment(error)) {
    if (entry->path().filename() == name && entry->is_regular_file(error)) return entry->path();
  }
  return std::nullopt;
}

}  // namespace dformer::programs
