#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dformer/core/lower_case.hpp>
#include <dformer/data/image_error.hpp>
#include <dformer/data/natural_order.hpp>

namespace dformer {

struct ImagePair {
  std::filesystem::path color;
  std::filesystem::path depth;
  /// The file name of the colour image without its extension: what outputs are named after.
  std::string stem() const { return color.stem().string(); }
};

struct ImageList {
  std::vector<ImagePair> pairs;   ///< in natural order of their stems; at least one
  std::size_t ignored_files = 0;  ///< files in the folders that are no images, by their extension
  std::size_t unused_depth = 0;   ///< depth images that no colour image goes with
};

/// Extensions, in any case, that count as images in a folder.
inline constexpr std::array<std::string_view, 10> image_extensions{".png",  ".jpg",  ".jpeg", ".bmp", ".tif",
                                                                   ".tiff", ".webp", ".ppm",  ".pgm", ".exr"};

namespace detail {

struct ImageFolder {
  std::vector<std::filesystem::path> files;
  std::size_t ignored = 0;
};

inline bool has_image_extension(const std::filesystem::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return std::find(image_extensions.begin(), image_extensions.end(), extension) != image_extensions.end();
}

inline bool require_file_or_folder(const std::filesystem::path& path, const std::string& role) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status)) {
    throw_image_error(path.string(), "no such file or folder; expected " + role + " images");
  }
  return std::filesystem::is_directory(status);
}

/// The images directly in a folder, in natural order. Throws: ImageError when two share a stem or there are
/// none.
inline ImageFolder list_folder(const std::filesystem::path& folder, const std::string& role) {
  ImageFolder result;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_directory(unreadable)) continue;
    if (has_image_extension(entry->path())) {
      result.files.push_back(entry->path());
    } else {
      ++result.ignored;
    }
  }
  if (error) throw_image_error(folder.string(), "cannot be listed: " + error.message());
  if (result.files.empty()) {
    throw_image_error(folder.string(), "holds no " + role + " images (" + std::to_string(result.ignored) +
                                           " files of other kinds); expected .png, .jpg, .tiff and the like");
  }
  const auto by_stem = [](const std::filesystem::path& a, const std::filesystem::path& b) {
    return natural_less(a.stem().string(), b.stem().string());
  };
  std::sort(result.files.begin(), result.files.end(), by_stem);
  for (std::size_t i = 1; i < result.files.size(); ++i) {
    if (result.files[i - 1].stem() == result.files[i].stem()) {
      throw_image_error(folder.string(),
                        result.files[i - 1].filename().string() + " and " +
                            result.files[i].filename().string() +
                            " differ in their extension only; images are paired by stem, keep one");
    }
  }
  return result;
}

[[noreturn]] inline void throw_missing_partners(const std::vector<std::string>& stems, std::size_t of,
                                                const std::filesystem::path& folder) {
  constexpr std::size_t shown = 5;
  std::string text =
      std::to_string(stems.size()) + " of " + std::to_string(of) + " colour images have no depth image: ";
  for (std::size_t i = 0; i < std::min(stems.size(), shown); ++i) text += (i > 0 ? ", " : "") + stems[i];
  if (stems.size() > shown) text += ", and " + std::to_string(stems.size() - shown) + " more";
  throw_image_error(folder.string(), text + "; a pair must have the same file name up to its extension");
}

}  // namespace detail

/// Pairs a colour file with a depth file, or the images of two folders by stem (the file name without its
/// extension), or a colour file with its partner in a depth folder. Folders are not searched recursively.
/// Throws: ImageError for a missing path, a folder without images, two images of one stem, colour images
/// without depth (all counted, the first few named), a folder paired with a single depth file.
inline ImageList pair_images(const std::filesystem::path& color, const std::filesystem::path& depth) {
  const bool color_is_folder = detail::require_file_or_folder(color, "colour");
  const bool depth_is_folder = detail::require_file_or_folder(depth, "depth");
  if (!color_is_folder && !depth_is_folder) return {{{color, depth}}, 0, 0};
  if (color_is_folder && !depth_is_folder) {
    throw_image_error(depth.string(),
                      "is one file, but " + color.string() + " is a folder; pass a folder of depth images");
  }
  detail::ImageFolder colors{{color}, 0};
  if (color_is_folder) colors = detail::list_folder(color, "colour");
  const detail::ImageFolder depths = detail::list_folder(depth, "depth");

  std::unordered_map<std::string, const std::filesystem::path*> depth_of_stem;
  for (const std::filesystem::path& file : depths.files) depth_of_stem.emplace(file.stem().string(), &file);
  ImageList list;
  std::vector<std::string> missing;
  for (const std::filesystem::path& file : colors.files) {
    const auto partner = depth_of_stem.find(file.stem().string());
    if (partner == depth_of_stem.end()) {
      missing.push_back(file.filename().string());
    } else {
      list.pairs.push_back({file, *partner->second});
    }
  }
  if (!missing.empty()) detail::throw_missing_partners(missing, colors.files.size(), depth);
  list.ignored_files = colors.ignored + depths.ignored;
  list.unused_depth = depths.files.size() - list.pairs.size();
  return list;
}

}  // namespace dformer
