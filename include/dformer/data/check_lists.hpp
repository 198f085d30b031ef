#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dformer/core/finding.hpp>
#include <dformer/data/dataset.hpp>
#include <dformer/data/dataset_findings.hpp>

namespace dformer {

/// The items of a list that are there to be read, each once.
struct CheckedList {
  std::string name;                  ///< "train.txt"
  std::size_t lines = 0;             ///< that name something
  std::vector<DatasetItem> items{};  ///< a path is empty where that image is missing
};

namespace detail {

/// "RGB, depth, train.txt": what a folder holds instead of what was looked for.
inline std::string contents_text(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.insert(entry->path().filename().string());
  }
  constexpr std::size_t most = 12;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == most) return text + ", …";
    text.append(text.empty() ? "" : ", ").append(name);
  }
  return text.empty() ? "nothing" : text;
}

/// The stems of the images in a folder and those below it. Two files of one stem are a finding.
inline std::set<std::string> stems_in(const std::filesystem::path& folder, Checkup& checkup) {
  std::map<std::string, std::string> files;
  std::set<std::string> stems;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    if (!has_image_extension(entry->path()) || !entry->is_regular_file(unreadable)) continue;
    const std::filesystem::path file = entry->path().lexically_relative(folder);
    std::string stem = (file.parent_path() / file.stem()).string();
    const auto [other, is_new] = files.emplace(stem, file.string());
    if (!is_new)
      checkup.find(dataset_findings::ambiguous_image,
                   {folder.string(), 0, other->second + ", " + file.string()});
    stems.insert(std::move(stem));
  }
  return stems;
}

/// The encoding that a layout of this name has unless another is asked for.
inline DepthEncoding own_encoding(const DatasetLayout& layout) {
  for (const auto& [word, make] : known_layouts) {
    if (DatasetLayout known = make(); known.name == layout.name) return known.depth.encoding;
  }
  return nyu_depth_v2_layout().depth.encoding;
}

}  // namespace detail

/// Chooses the layout whose folders there are. One that differs from the layout asked for, and a folder that
/// no known layout explains, is a finding.
inline DatasetLayout check_folders(const std::filesystem::path& root, const DatasetLayout& asked,
                                   Checkup& checkup) {
  if (has_folders(root, asked)) return asked;
  for (const auto& [word, make] : known_layouts) {
    DatasetLayout layout = make();
    if (!has_folders(root, layout)) continue;
    checkup.find(dataset_findings::wrong_layout,
                 {root.string(), 0,
                  layout.color_folder + ", " + layout.depth_folder + ", " + layout.label_folder +
                      " are those of --dataset " + std::string(word) + "; the rest was checked as such"});
    layout.numbering = asked.numbering;
    layout.depth.holes = asked.depth.holes;
    if (asked.depth.encoding.index() != detail::own_encoding(asked).index())
      layout.depth.encoding = asked.depth.encoding;
    return layout;
  }
  std::error_code ignored;
  for (const std::string& folder : asked.folders()) {
    if (!std::filesystem::is_directory(root / folder, ignored)) {
      checkup.find(dataset_findings::missing_folder,
                   {(root / folder).string(), 0, "there is " + detail::contents_text(root)});
    }
  }
  return asked;
}

/// Looks for every file that the lists name.
class ListCheck {
 public:
  ListCheck(std::filesystem::path root, const DatasetLayout& layout, Checkup& checkup)
      : root_(std::move(root)), checkup_(checkup) {
    const std::array<std::string, 3> folders = layout.folders();
    for (std::size_t i = 0; i < folders.size(); ++i) {
      std::error_code ignored;
      roles_[i].folder = folders[i];
      roles_[i].exists = std::filesystem::is_directory(root_ / folders[i], ignored);
    }
  }

  CheckedList check(const std::string& name) {
    CheckedList list{name};
    const std::filesystem::path file = root_ / name;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) {
      checkup_.find(dataset_findings::missing_list,
                    {file.string(), 0, "there is " + detail::contents_text(root_)});
      return list;
    }
    std::vector<ListedName> names;
    try {
      names = read_dataset_list(file);
    } catch (const EmptyListError&) {
      checkup_.find(dataset_findings::empty_list, {file.string(), 0, {}});
    } catch (const DatasetError& error) {
      checkup_.find(dataset_findings::unreadable_list,
                    {file.string(), 0, without_subject(error.what(), file.string())});
    }
    list.lines = names.size();
    for (const ListedName& listed : names) {
      if (is_new(name, file.string(), listed)) look_for(file.string(), listed, list);
    }
    return list;
  }

  /// After all lists: images that none of them names.
  void check_unlisted() {
    for (const Role& role : roles_) {
      if (!role.exists) continue;
      const std::set<std::string> stems = detail::stems_in(root_ / role.folder, checkup_);
      if (&role != &roles_[0] || seen_.empty()) continue;
      for (const std::string& stem : stems) {
        if (!seen_.contains(stem))
          checkup_.find(dataset_findings::unlisted_images, {(root_ / role.folder / stem).string(), 0, {}});
      }
    }
  }

 private:
  struct Role {
    std::string folder;
    bool exists = false;
  };
  /// On which line of which list a name stands first; the lists in the order in which they are checked.
  using Seen = std::vector<std::pair<std::string, std::size_t>>;

  /// Whether it stands in this list for the first time.
  bool is_new(const std::string& list, const std::string& file, const ListedName& listed) {
    Seen& seen = seen_[listed.stem];
    const auto before = std::ranges::find(seen, list, &Seen::value_type::first);
    if (before != seen.end()) {
      checkup_.find(dataset_findings::duplicate_entry,
                    {file, listed.line, listed.stem + " is on line " + std::to_string(before->second)});
      return false;
    }
    if (!seen.empty()) {
      checkup_.find(
          dataset_findings::overlap,
          {file, listed.line,
           listed.stem + " is on line " + std::to_string(seen.front().second) + " of " + seen.front().first});
    }
    seen.emplace_back(list, listed.line);
    return true;
  }

  void look_for(const std::string& file, const ListedName& listed, CheckedList& list) {
    const std::array<std::string, 3> likely{listed.extension, ".png", ".png"};
    std::array<std::filesystem::path, 3> found;
    bool any = false;
    bool any_folder = false;
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      if (!roles_[i].exists) continue;
      any_folder = true;
      found[i] = find_listed_image(root_ / roles_[i].folder, listed, likely[i]);
      any = any || !found[i].empty();
    }
    if (!any_folder) return;
    if (!any) {
      checkup_.find(dataset_findings::names_nothing,
                    {file, listed.line, listed.stem + listed.extension + blank_in_name_text(listed)});
      return;
    }
    constexpr std::array<const FindingKind*, 3> kinds{&dataset_findings::missing_color,
                                                      &dataset_findings::missing_depth,
                                                      &dataset_findings::missing_labels};
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      if (!roles_[i].exists || !found[i].empty()) continue;
      const std::string expected = listed.stem + (likely[i].empty() ? ".png" : likely[i]);
      checkup_.find(*kinds[i], {file, listed.line, "no " + roles_[i].folder + "/" + expected});
    }
    list.items.push_back({listed.stem, found[0], found[1], found[2]});
  }

  std::filesystem::path root_;
  Checkup& checkup_;
  std::array<Role, 3> roles_{};
  std::map<std::string, Seen> seen_;
};

}  // namespace dformer
