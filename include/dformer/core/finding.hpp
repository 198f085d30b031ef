#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a check of a data set, a checkpoint or a recipe says, as data: programs print it, tests ask for it.
namespace dformer {

enum class Severity : std::uint8_t {
  note,     ///< worth knowing; nothing has to be done
  warning,  ///< it would run, and probably not do what was meant
  error,    ///< it would be refused, or its result would mean nothing
};

constexpr std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "?";
}

/// Something that a check looks for. Each is a constant beside its check.
struct FindingKind {
  std::string_view name;  ///< "missing_depth": a word that stays the same
  Severity severity = Severity::error;
  std::string_view what;    ///< what is the matter
  std::string_view advice;  ///< what to do
};

/// Where something was found.
struct Place {
  std::string file{};    ///< empty where it concerns no single file
  std::size_t line = 0;  ///< counted from 1; 0 where it concerns no single line
  std::string what{};    ///< what was found there
};

/// "train.txt:7: names no image"
inline std::string to_string(const Place& place) {
  std::string text = place.file;
  if (place.line > 0) text += ":" + std::to_string(place.line);
  if (!text.empty() && !place.what.empty()) text += ": ";
  return text += place.what;
}

/// What an error says of a file, without the file that its text begins with: "cut off" of
/// "[net.pth, byte 7] cut off".
inline std::string without_subject(std::string_view text, std::string_view file) {
  const bool begins = text.starts_with('[') && text.substr(1).starts_with(file);
  const std::size_t end = begins ? text.find("] ", 1 + file.size()) : text.npos;
  return std::string(end == text.npos ? text : text.substr(end + 2));
}

/// All that a check found of one kind: how often, and the first few places.
struct Finding {
  static constexpr std::size_t most_places = 5;

  FindingKind kind;
  std::size_t count = 0;
  std::vector<Place> places{};
};

/// What a check measured, for people: {"depth", "8-bit, 1 channel; 0 to 255"}.
struct Fact {
  std::string name;
  std::string text;
};

/// The result of a check: what it saw, and what is the matter.
struct Checkup {
  std::string subject;  ///< "data set scenes"
  std::vector<Fact> facts{};
  std::vector<Finding> findings{};

  void fact(std::string name, std::string text) { facts.push_back({std::move(name), std::move(text)}); }

  /// One more of a kind; those after the first few are only counted.
  void find(const FindingKind& kind, Place place) {
    auto found =
        std::ranges::find(findings, kind.name, [](const Finding& finding) { return finding.kind.name; });
    if (found == findings.end()) found = findings.insert(found, Finding{kind});
    ++found->count;
    if (found->places.size() < Finding::most_places) found->places.push_back(std::move(place));
  }

  bool has(const FindingKind& kind) const {
    return std::ranges::any_of(findings, [&](const Finding& each) { return each.kind.name == kind.name; });
  }

  /// Kinds of that severity.
  std::size_t count(Severity severity) const {
    return static_cast<std::size_t>(
        std::ranges::count(findings, severity, [](const Finding& each) { return each.kind.severity; }));
  }

  /// Errors first; within a severity the order in which they were found.
  void sort() {
    std::ranges::stable_sort(findings, std::ranges::greater{},
                             [](const Finding& each) { return each.kind.severity; });
  }
};

}  // namespace dformer
