#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <opencv2/core.hpp>

#include <dformer/core/atomic_file.hpp>
#include <dformer/data/classes.hpp>
#include <dformer/data/encode_depth.hpp>
#include <dformer/data/label_counts.hpp>
#include <dformer/data/scene/class_set.hpp>
#include <dformer/data/scene/render.hpp>
#include <dformer/data/write_image.hpp>

namespace dformer::scene {

/// What the files of Depth/ hold.
enum class DepthFiles {
  greys,  ///< the official picture: 8-bit, stretched per image and drawn with Greys_r
  mm,     ///< 16-bit millimetres, 0 without an answer
};

struct DatasetOptions {
  int train = 200;
  int test = 50;
  std::uint64_t seed = 1;
  ViewOptions view = {};
  ClassSet classes = make_class_set(default_scene_classes);
  DepthFiles depth = DepthFiles::greys;
  HolePolicy holes = HolePolicy::as_near;  ///< of `greys`
  int threads = 2;
};

enum class Split { train, test };

/// Image `i` of a split. The two splits draw from different streams: a larger training set leaves the test
/// set as it is. Throws: ArgumentError for an impossible size.
inline LabeledView make_view(Split split, int i, const DatasetOptions& options) {
  const std::uint64_t stream = std::uint64_t{split == Split::test} << 63 | static_cast<std::uint64_t>(i);
  return make_view(options.seed, stream, options.classes, options.view);
}

/// "train_00017", by which the three files of an image are named.
inline std::string view_stem(Split split, int i) {
  char stem[32];
  std::snprintf(stem, sizeof stem, "%s_%05d", split == Split::train ? "train" : "test", i);
  return stem;
}

namespace detail {

inline void require_options(const std::filesystem::path& folder, const DatasetOptions& options) {
  require_view_size(options.view.width, options.view.height);
  constexpr int most = 1'000'000;
  const auto possible = [](int count) { return count >= 0 && count <= most; };
  if (!possible(options.train) || !possible(options.test) || options.train + options.test == 0) {
    throw_argument_error("[scenes] " + std::to_string(options.train) + " training and " +
                         std::to_string(options.test) + " test images were asked for; each may be 0 to " +
                         std::to_string(most) + ", and one image is the least");
  }
  if (options.threads < 1 || options.threads > 1024) {
    throw_argument_error("[scenes] " + std::to_string(options.threads) +
                         " threads are not possible; pass 1 to 1024");
  }
  for (const char* list : {"train.txt", "test.txt"}) {
    if (std::filesystem::exists(folder / list)) {
      throw_image_error((folder / list).string(),
                        "a data set is here already; remove it or choose another folder");
    }
  }
}

/// Throws: ImageError naming the folder.
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw_image_error(folder.string(), "the folder cannot be made: " + error.message() + "; choose another");
}

inline void write_view(const std::filesystem::path& folder, const std::string& stem, const LabeledView& view,
                       const DatasetOptions& options) {
  write_picture(folder / "RGB" / (stem + ".jpg"), view.color);
  const std::filesystem::path depth = folder / "Depth" / (stem + ".png");
  if (options.depth == DepthFiles::mm) {
    dformer::detail::encode_and_write(depth, view.depth);
  } else {
    write_picture(depth, encode_depth<MillimetreDepth>(view.depth, options.holes).grey);
  }
  write_labels(folder / "Label" / (stem + ".png"), view.labels, LabelNumbering::from_one);
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  write_file_atomically(file, text);
}

/// A list in the official form: "RGB/train_00000.jpg Label/train_00000.png", one image a line.
inline void write_list(const std::filesystem::path& file, Split split, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const std::string stem = view_stem(split, i);
    text.append("RGB/").append(stem).append(".jpg Label/").append(stem).append(".png\n");
  }
  write_text(file, text);
}

/// Calls `work(i)` for all i below `count`, on several threads. The first thing thrown ends it and is thrown.
template <class Work>
void for_each_index(int count, int threads, const Work& work) {
  std::atomic<int> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto serve = [&] {
    for (int i; (i = next.fetch_add(1)) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!failure) failure = std::current_exception();
        next.store(count);
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < std::min(threads, count); ++i) workers.emplace_back(serve);
    serve();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail

/// Writes a data set in the layout of the official NYUDepthv2: RGB/*.jpg, Depth/*.png, Label/*.png (class +
/// 1, 0 ignored), train.txt, test.txt; and classes.txt, the 40 names. The lists come last: a folder that has
/// them is complete. `progress(done, total)` is called after each image, by one thread at a time; what it
/// throws ends the work. The files depend on the options but not on `threads`. Returns the labels' counts.
/// Throws: ArgumentError for options out of range, ImageError for a folder that holds a data set or cannot be
/// written.
inline LabelCounts write_dataset(const std::filesystem::path& folder, const DatasetOptions& options,
                                 const std::function<void(int done, int total)>& progress = {}) {
  detail::require_options(folder, options);
  for (const char* part : {"RGB", "Depth", "Label"}) detail::make_folder(folder / part);
  LabelCounts counts;
  std::mutex guard;
  int done = 0;
  const int total = options.train + options.test;
  detail::for_each_index(total, options.threads, [&](int position) {
    const Split split = position < options.train ? Split::train : Split::test;
    const int i = split == Split::train ? position : position - options.train;
    const LabeledView view = make_view(split, i, options);
    detail::write_view(folder, view_stem(split, i), view, options);
    const std::lock_guard lock(guard);
    counts.add(view.labels);
    ++done;
    if (progress) progress(done, total);
  });
  std::string names;
  for (std::string_view name : nyu_depth_v2_classes) names.append(name).append("\n");
  detail::write_text(folder / "classes.txt", names);
  detail::write_list(folder / "test.txt", Split::test, options.test);
  detail::write_list(folder / "train.txt", Split::train, options.train);
  return counts;
}

}  // namespace dformer::scene
