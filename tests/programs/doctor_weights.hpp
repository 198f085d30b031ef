#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <dformer/backend/count/count.hpp>
#include <dformer/core/fill.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/safetensors_writer.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer::testing {

/// The tensors of a checkpoint, which a test may change before it writes them.
class Weights {
 public:
  struct Entry {
    std::string name;
    Shape shape;
    std::vector<float> values;
  };

  /// As if trained: no value is what networks start with.
  explicit Weights(const std::string& model, int classes = 40,
                   OfficialDataset like = OfficialDataset::nyu_depth_v2) {
    const auto network = make_segmenter<Count>(model, classes, like);
    for (const LoadTarget& target : load_targets(*network)) {
      if (target.kind == ParameterKind::constant || target.kind == ParameterKind::counter) continue;
      Entry entry{target.name, target.shape,
                  std::vector<float>(static_cast<std::size_t>(target.shape.numel()))};
      fill_by_name(entry.name, entry.shape, entry.values);
      entries.push_back(std::move(entry));
    }
  }

  Entry& operator[](const std::string& name) {
    const auto entry = std::ranges::find(entries, name, &Entry::name);
    if (entry == entries.end()) throw std::out_of_range(name);
    return *entry;
  }
  /// Those whose names contain `part`.
  void fill(const std::string& part, float value) {
    for (Entry& entry : entries) {
      if (entry.name.find(part) != entry.name.npos) std::ranges::fill(entry.values, value);
    }
  }
  void remove(const std::string& part) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.name.find(part) != entry.name.npos; });
  }
  void write(const std::filesystem::path& file) const {
    std::vector<NamedTensor> tensors;
    for (const Entry& entry : entries)
      tensors.push_back({entry.name, tensor_view(entry.shape, entry.values)});
    for (const auto& [name, count] : counters) tensors.push_back({name, tensor_of(count)});
    write_safetensors(file, tensors);
  }

  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::int64_t>> counters;
};

}  // namespace dformer::testing
