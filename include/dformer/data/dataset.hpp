#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/data/dataset_layout.hpp>
#include <dformer/data/dataset_list.hpp>
#include <dformer/data/read_images.hpp>
#include <dformer/data/read_labels.hpp>

namespace dformer {

/// A registered pair of images and what they show.
struct LabeledImage {
  std::string name;
  RgbdImage image;
  cv::Mat labels;  ///< [H, W] 8-bit class indices; 255 is ignored
};

/// The files of one item.
struct DatasetItem {
  std::string name;  ///< the stem, as outputs are named
  std::filesystem::path color;
  std::filesystem::path depth;
  std::filesystem::path labels;
};

/// Images with labels in a folder, chosen by a list. Reading is const and may be done from several threads.
class RgbdDataset {
 public:
  /// `list` is a file name relative to `root`, or an absolute path. Every file that it names is looked for
  /// now, so that a run does not end in its middle; images are read later. Throws: DatasetError for a missing
  /// folder or file and for an empty list; ArgumentError for a number of classes that is not 2 to 255.
  RgbdDataset(const std::filesystem::path& root, const std::filesystem::path& list, DatasetLayout layout,
              int num_classes)
      : layout_(std::move(layout)), list_(root / list), num_classes_(num_classes) {
    if (num_classes < 2 || num_classes > 255) {
      throw_argument_error("[dataset] a data set has 2 to 255 classes, asked for " +
                           std::to_string(num_classes));
    }
    std::error_code ignored;
    if (!std::filesystem::is_directory(root, ignored)) {
      throw_dataset_error(root, "is no folder; expected that of a data set, with " + layout_.color_folder +
                                    ", " + layout_.depth_folder + ", " + layout_.label_folder + " and lists");
    }
    for (const ListedName& listed : read_dataset_list(list_)) {
      items_.push_back({listed.stem, find(root / layout_.color_folder, listed, listed.extension),
                        find(root / layout_.depth_folder, listed, ".png"),
                        find(root / layout_.label_folder, listed, ".png")});
    }
  }

  std::size_t size() const { return items_.size(); }
  int num_classes() const { return num_classes_; }
  const DatasetLayout& layout() const { return layout_; }
  const std::filesystem::path& list() const { return list_; }
  const DatasetItem& item(std::size_t index) const { return items_[index]; }
  /// "NYUDepthv2, /data/NYUDepthv2/test.txt"
  std::string description() const { return layout_.name + ", " + list_.string(); }

  /// Throws: ImageError, which names the file: one that is damaged, of another type or size than its
  /// partners, or a label out of range.
  LabeledImage read(std::size_t index) const {
    const DatasetItem& files = items_[index];
    LabeledImage result{files.name, read_rgbd(files.color, files.depth, layout_.depth),
                        read_labels(files.labels, layout_.numbering, num_classes_)};
    if (result.labels.size() != result.image.color.size()) {
      throw_image_error(files.labels.string(),
                        "labels are " + describe(result.labels) + ", but " + files.color.string() + " is " +
                            describe(result.image.color) + "; the images of one item must have one size");
    }
    return result;
  }

 private:
  std::filesystem::path find(const std::filesystem::path& folder, const ListedName& listed,
                             const std::string& likely) const {
    std::filesystem::path file = find_listed_image(folder, listed, likely);
    if (!file.empty()) return file;
    throw_dataset_error(folder / (listed.stem + (likely.empty() ? ".png" : likely)),
                        "no such image, also with no other extension; " + list_.string() + " lists it" +
                            blank_in_name_text(listed));
  }

  DatasetLayout layout_;
  std::filesystem::path list_;
  int num_classes_;
  std::vector<DatasetItem> items_;
};

}  // namespace dformer
