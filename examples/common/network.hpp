#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <dformer/models/zoo.hpp>

namespace dformer::programs {

/// Which network a program runs. Its number of classes is that of the names it is given.
struct NetworkOptions {
  std::string model;
  std::string like;

  /// `what` the program does with the network.
  void add_to(CLI::App& app, const std::string& what = "the network", bool required = true) {
    app.add_option("--model", model, what)
        ->required(required)
        ->check(CLI::IsMember(std::vector<std::string>(model_names.begin(), model_names.end())));
    app.add_option("--like", like,
                   "the data set whose official configuration it follows, nyudepthv2 or sunrgbd: DFormerv2's "
                   "head is wider for sunrgbd, and takes R, G, B; sunrgbd for 37 classes where left out, "
                   "nyudepthv2 for others")
        ->check(CLI::IsMember({"nyudepthv2", "sunrgbd"}));
  }

  OfficialDataset followed(std::size_t num_classes) const {
    if (like.empty()) return official_dataset(static_cast<int>(num_classes));
    return like == "sunrgbd" ? OfficialDataset::sunrgbd : OfficialDataset::nyu_depth_v2;
  }
  /// As --like has it, also where that was left out.
  std::string_view followed_name(std::size_t num_classes) const {
    return followed(num_classes) == OfficialDataset::sunrgbd ? "sunrgbd" : "nyudepthv2";
  }

  template <class B>
  SegmenterPointer<B> make(std::size_t num_classes) const {
    return make_segmenter<B>(model, static_cast<int>(num_classes), followed(num_classes));
  }
};

}  // namespace dformer::programs
