#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <istream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dformer/core/error.hpp>
#include <dformer/core/read_line.hpp>
#include <dformer/data/image_list.hpp>

namespace dformer {

/// A data set lacks a file, or a list of its images is missing or empty. The text begins with the file.
class DatasetError : public Error {
 public:
  using Error::Error;
};

[[noreturn, gnu::cold, gnu::noinline]] inline void throw_dataset_error(const std::filesystem::path& file,
                                                                       const std::string& what) {
  std::string text("[");
  text.append(file.string()).append("] ").append(what);
  throw DatasetError(text);
}

/// A list is there, and names no image.
class EmptyListError : public DatasetError {
 public:
  using DatasetError::DatasetError;
};

/// One line of a list: the name of an item, and the extension that the line gives its colour image.
struct ListedName {
  std::string stem;       ///< "2", "office/0001"; without folder of the colour images and extension
  std::string extension;  ///< ".jpg"; empty where the line has none
  std::size_t line = 0;   ///< in its list, counted from 1; 0 for a line that is in none
  std::size_t words = 1;  ///< on its line, between blanks; the name ends with the first
};

namespace detail {

inline std::size_t count_words(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::size_t words = 0;
  for (std::size_t at = line.find_first_not_of(blanks); at < line.size(); ++words)
    at = line.find_first_not_of(blanks, line.find_first_of(blanks, at));
  return words;
}

/// Zero bytes, and the marks at the start, are those of text in units of two bytes.
inline bool is_utf16(std::string_view line, bool is_first) {
  return line.find('\0') != line.npos ||
         (is_first && (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF")));
}

}  // namespace detail

/// Understands `RGB/2.jpg Label/2.png`, `RGB/2.jpg` and `2`: what counts is the text before the first blank,
/// without its first folder and without the extension of an image. Empty for a blank line.
inline ListedName parse_list_line(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return {};
  line.remove_prefix(begin);
  const std::size_t words = detail::count_words(line);
  line = line.substr(0, line.find_first_of(" \t\r"));
  if (const std::size_t slash = line.find('/'); slash != line.npos) line.remove_prefix(slash + 1);
  const std::filesystem::path path(line);
  if (!detail::has_image_extension(path)) return {std::string(line), {}, 0, words};
  std::string extension = path.extension().string();
  return {std::string(line.substr(0, line.size() - extension.size())), std::move(extension), 0, words};
}

/// What to add where a listed name is not found: "; …" on a line that looks like a name with blanks in it,
/// and nothing otherwise. `RGB/2.jpg Label/2.png` is no such line.
inline std::string blank_in_name_text(const ListedName& listed) {
  if (listed.words < 2 || (listed.words == 2 && !listed.extension.empty())) return {};
  return "; a name ends at the first blank, and the line has " + std::to_string(listed.words) +
         " words: names of files must have no blanks";
}

/// Whether a name stays in the folder that it is looked for in; predictions are also written under it.
inline bool stays_in_folder(const std::filesystem::path& name) {
  return name.is_relative() && std::ranges::find(name, std::filesystem::path("..")) == name.end();
}

/// The names of a list, in its order; blank lines are skipped. `file` names it in errors.
/// Throws: EmptyListError; DatasetError for text that is not UTF-8 but UTF-16, for a line that is too long,
/// and for a name that leads out of its folder.
inline std::vector<ListedName> parse_dataset_list(std::istream& stream, const std::filesystem::path& file) {
  std::vector<ListedName> names;
  std::size_t line_number = 0;
  for (std::string line; read_line(stream, line);) {
    ++line_number;
    if (line.size() > longest_line) {
      throw_dataset_error(file, "line " + std::to_string(line_number) + " has more than " +
                                    std::to_string(longest_line) +
                                    " bytes; expected a list with one image a line");
    }
    if (detail::is_utf16(line, line_number == 1)) {
      throw_dataset_error(file, "line " + std::to_string(line_number) +
                                    " is no UTF-8 text (UTF-16?); save the list as UTF-8");
    }
    if (line_number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    ListedName name = parse_list_line(line);
    name.line = line_number;
    if (!stays_in_folder(name.stem)) {
      throw_dataset_error(file, "line " + std::to_string(line_number) + ": '" + name.stem +
                                    "' leads out of the folder of the data set; expected a name in it, such "
                                    "as RGB/2.jpg");
    }
    if (!name.stem.empty()) names.push_back(std::move(name));
  }
  if (stream.bad()) throw_dataset_error(file, "cannot be read to its end");
  if (names.empty()) {
    std::string text("[");
    text.append(file.string()).append("] lists no image; expected one a line, such as RGB/2.jpg");
    throw EmptyListError(text);
  }
  return names;
}

/// The names of a list file such as train.txt. Throws also: DatasetError for a missing list.
inline std::vector<ListedName> read_dataset_list(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream || std::filesystem::is_directory(file)) {
    throw_dataset_error(file, "cannot be opened; expected a list with one image a line, such as RGB/2.jpg");
  }
  return parse_dataset_list(stream, file);
}

/// The image in a folder that goes with a listed name: with the likely extension, or with any that an image
/// may have. Empty where there is none.
inline std::filesystem::path find_listed_image(const std::filesystem::path& folder, const ListedName& listed,
                                               const std::string& likely) {
  std::error_code ignored;
  std::filesystem::path file = folder / (listed.stem + likely);
  if (!likely.empty() && std::filesystem::is_regular_file(file, ignored)) return file;
  for (const bool capitals : {false, true}) {  // as many cameras write them
    for (std::string_view known : image_extensions) {
      std::string extension(known);
      if (capitals)
        std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::toupper(c); });
      file = folder / (listed.stem + extension);
      if (std::filesystem::is_regular_file(file, ignored)) return file;
    }
  }
  return {};
}

}  // namespace dformer
