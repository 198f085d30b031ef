#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/core/read_line.hpp>

namespace dformer {

/// The names of the classes of NYUDepthv2, in the order of its predictions.
inline constexpr std::array<std::string_view, 40> nyu_depth_v2_classes{
    "wall",       "floor",          "cabinet",        "bed",
    "chair",      "sofa",           "table",          "door",
    "window",     "bookshelf",      "picture",        "counter",
    "blinds",     "desk",           "shelves",        "curtain",
    "dresser",    "pillow",         "mirror",         "floor mat",
    "clothes",    "ceiling",        "books",          "refrigerator",
    "television", "paper",          "towel",          "shower curtain",
    "box",        "whiteboard",     "person",         "night stand",
    "toilet",     "sink",           "lamp",           "bathtub",
    "bag",        "otherstructure", "otherfurniture", "otherprop"};

/// The names of the classes of SUNRGBD, in the order of its predictions.
inline constexpr std::array<std::string_view, 37> sunrgbd_classes{
    "wall",    "floor",      "cabinet",      "bed",         "chair",   "sofa",      "table",
    "door",    "window",     "bookshelf",    "picture",     "counter", "blinds",    "desk",
    "shelves", "curtain",    "dresser",      "pillow",      "mirror",  "floor mat", "clothes",
    "ceiling", "books",      "refrigerator", "television",  "paper",   "towel",     "shower curtain",
    "box",     "whiteboard", "person",       "night stand", "toilet",  "sink",      "lamp",
    "bathtub", "bag"};

/// Names of classes by predicted index.
class ClassList {
 public:
  /// No names: classes are known by number only.
  ClassList() = default;
  explicit ClassList(std::vector<std::string> names) : names_(std::move(names)) {}
  explicit ClassList(std::span<const std::string_view> names) : names_(names.begin(), names.end()) {}

  std::size_t size() const { return names_.size(); }
  /// The name; "class 57" for an index that has none.
  [[gnu::noinline]] std::string name(
      std::size_t index) const {  // inlined, g++ 12 warns of bounds that it cannot know
    return index < size() ? names_[index] : std::string("class ").append(std::to_string(index));
  }
  const std::vector<std::string>& names() const { return names_; }

  /// Throws: ArgumentError unless there is one name for each of `num_classes` outputs of a network.
  void require_size(std::size_t num_classes) const {
    if (size() == num_classes) return;
    throw_argument_error("[classes] the network predicts " + std::to_string(num_classes) + " classes, but " +
                         std::to_string(size()) +
                         " names were given; pass one name for each class, in order");
  }

 private:
  std::vector<std::string> names_;
};

/// Reads names, one a line, the first line being class 0. Spaces around a name are dropped, as are empty
/// lines at the end; UTF-8. `file` names the source in errors. Throws: ArgumentError for an empty text, an
/// empty line between names, a name given twice, more than 255 names (labels are bytes, and 255 means
/// ignored).
inline ClassList parse_classes(std::istream& stream, const std::filesystem::path& file) {
  std::string subject("[");
  subject.append(file.string()).append("] ");
  std::vector<std::string> names;
  std::size_t line_number = 0;
  std::size_t empty_line = 0;  // the first one since the last name
  for (std::string line; read_line(stream, line);) {
    ++line_number;
    if (line.size() > longest_line) {
      throw_argument_error(subject + "line " + std::to_string(line_number) + " has more than " +
                           std::to_string(longest_line) + " bytes; expected one class name a line");
    }
    if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == line.npos) {
      if (empty_line == 0) empty_line = line_number;
      continue;
    }
    if (empty_line != 0) {
      throw_argument_error(subject + "line " + std::to_string(empty_line) +
                           " is empty; every class needs a name, since its line is its number");
    }
    std::string name = line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) {
        throw_argument_error(subject + "line " + std::to_string(line_number) + " repeats \"" + name +
                             "\" of line " + std::to_string(i + 1) + "; names must differ");
      }
    }
    if (names.size() == 255) {
      throw_argument_error(subject + "line " + std::to_string(line_number) +
                           " holds a 256th name; at most 255 are possible");
    }
    names.push_back(std::move(name));
  }
  if (stream.bad()) throw_argument_error(subject + "cannot be read to its end");
  if (names.empty()) throw_argument_error(subject + "holds no class name; expected one a line");
  return ClassList(std::move(names));
}

/// The names of a text file. Throws also: ArgumentError for a missing file.
inline ClassList read_classes(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    std::string text("[");
    throw_argument_error(text.append(file.string()) +
                         "] cannot be opened; expected a text file with one class name a line");
  }
  return parse_classes(stream, file);
}

/// The class lists that programs and recipes have words for.
inline std::optional<ClassList> known_classes(std::string_view word) {
  if (word == "nyu40") return ClassList(nyu_depth_v2_classes);
  if (word == "sunrgbd37") return ClassList(sunrgbd_classes);
  return std::nullopt;
}

/// The class list of a word, or of the file of that name. Throws: ArgumentError for a file that cannot be
/// read.
inline ClassList classes_named(const std::string& word) {
  const std::optional<ClassList> known = known_classes(word);
  return known ? *known : read_classes(word);
}

}  // namespace dformer
