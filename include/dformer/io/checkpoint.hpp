#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dformer/io/checkpoint_contents.hpp>
#include <dformer/io/checkpoint_error.hpp>
#include <dformer/io/kept_bytes.hpp>
#include <dformer/io/mapped_file.hpp>
#include <dformer/io/read_contents.hpp>
#include <dformer/io/tensor_record.hpp>

namespace dformer {

/// An open checkpoint file. Its tensors are views of the mapped file: they are valid as long as this object
/// lives, and nothing is copied before it is asked for.
class Checkpoint {
 public:
  /// Opens and checks a checkpoint of any supported format, which is recognised by content, not by name:
  /// torch.save (since 1.6, and before), safetensors, NumPy's archives, Jittor's pickles.
  /// Throws: CheckpointError.
  explicit Checkpoint(const std::filesystem::path& path) : file_(path) {
    contents_ = io::read_contents(file_.bytes(), file_.path(), kept_);
    strip_module_prefix();
    by_name_ = sorted(contents_.tensors);
    others_by_name_ = sorted(contents_.others);
  }

  Checkpoint(Checkpoint&&) = default;
  Checkpoint& operator=(Checkpoint&&) = default;

  const std::string& path() const { return file_.path(); }
  io::FileFormat format() const { return contents_.format; }
  /// Where in the file the weights were found: "model", "state_dict", "state_dict_ema", "top level" …
  const std::string& selected() const { return contents_.selected; }

  /// The weights in the order of the file, without `removed_prefix`.
  std::span<const TensorRecord> tensors() const { return contents_.tensors; }

  /// "module." where all the names of the file start with it, as data-parallel training leaves them, or "".
  std::string_view removed_prefix() const { return removed_prefix_; }

  /// nullptr if there is no weight of this name.
  const TensorRecord* find(std::string_view name) const { return find(contents_.tensors, by_name_, name); }

  /// Takes the tensors below another path as the weights: "model" of a file that has averages as well, which
  /// are chosen before it. Returns false, and changes nothing, where there is none. `tree` stays without the
  /// weights that were chosen first.
  bool select(std::string_view path) {
    const std::string prefix = std::string(path) + ".";
    const auto below = [&](const TensorRecord& tensor) { return tensor.name.starts_with(prefix); };
    if (std::ranges::none_of(contents_.others, below)) return false;
    // Not the one of std::ranges, whose result clang 14 cannot read from libstdc++ 12.
    std::vector<TensorRecord>& others = contents_.others;
    const auto chosen = std::stable_partition(others.begin(), others.end(), std::not_fn(below));
    std::vector<TensorRecord> weights(std::make_move_iterator(chosen), std::make_move_iterator(others.end()));
    others.erase(chosen, others.end());
    for (TensorRecord& tensor : weights) tensor.name.erase(0, prefix.size());
    const std::string before = contents_.selected == io::top_level ? std::string() : contents_.selected + ".";
    for (TensorRecord& tensor : contents_.tensors) {
      tensor.name.insert(0, before);
      contents_.others.push_back(std::move(tensor));
    }
    contents_.tensors = std::move(weights);
    contents_.selected = path;
    strip_module_prefix();
    by_name_ = sorted(contents_.tensors);
    others_by_name_ = sorted(contents_.others);
    return true;
  }

  /// Tensors that are no weights, by path: "optimizer.state.0.exp_avg".
  std::span<const TensorRecord> other_tensors() const { return contents_.others; }

  /// nullptr if no tensor other than the weights has this path.
  const TensorRecord* find_other(std::string_view path) const {
    return find(contents_.others, others_by_name_, path);
  }

  /// Single values by path: "epoch", "iteration", "optimizer.param_groups.0.lr", the metadata of safetensors.
  const Metadata& metadata() const { return contents_.metadata; }

  /// Of a pickle: all that it holds but the weights, as the tree of a file that is written. Its tensors view
  /// this file. Empty for a container that holds named tensors alone.
  const TorchDict& tree() const { return contents_.tree; }
  /// Paths of what is in the file and not in its tree: code, sets, values of unknown types.
  std::span<const std::string> left_out() const { return contents_.left_out; }

  /// A whole number of the metadata, such as "epoch".
  std::optional<std::int64_t> integer(std::string_view name) const { return value<std::int64_t>(name); }
  /// A number of the metadata, whole or not.
  std::optional<double> number(std::string_view name) const {
    if (const auto whole = integer(name)) return static_cast<double>(*whole);
    return value<double>(name);
  }
  std::optional<std::string> text(std::string_view name) const { return value<std::string>(name); }

 private:
  using Order = std::vector<std::size_t>;

  static Order sorted(const std::vector<TensorRecord>& tensors) {
    Order order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) -> const std::string& { return tensors[i].name; });
    return order;
  }
  static const TensorRecord* find(const std::vector<TensorRecord>& tensors, const Order& order,
                                  std::string_view name) {
    const auto tensor_name = [&](std::size_t i) { return std::string_view(tensors[i].name); };
    const auto found = std::ranges::lower_bound(order, name, {}, tensor_name);
    return found != order.end() && tensor_name(*found) == name ? &tensors[*found] : nullptr;
  }

  void strip_module_prefix() {
    static constexpr std::string_view prefix = "module.";
    const auto has_it = [](const TensorRecord& tensor) { return tensor.name.starts_with(prefix); };
    const bool all_have_it = !contents_.tensors.empty() && std::ranges::all_of(contents_.tensors, has_it);
    removed_prefix_ = all_have_it ? prefix : std::string_view();
    for (TensorRecord& tensor : contents_.tensors) tensor.name.erase(0, removed_prefix_.size());
  }

  template <class T>
  std::optional<T> value(std::string_view name) const {
    const auto found = contents_.metadata.find(name);
    if (found == contents_.metadata.end() || !std::holds_alternative<T>(found->second)) return std::nullopt;
    return std::get<T>(found->second);
  }

  io::MappedFile file_;
  io::KeptBytes kept_;
  io::CheckpointContents contents_;
  std::string_view removed_prefix_;
  Order by_name_;
  Order others_by_name_;
};

/// Opens a checkpoint file; see Checkpoint.
inline Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return Checkpoint(path);
}

}  // namespace dformer
