#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include "common/json.hpp"
#include <dformer/core/finding.hpp>
#include <dformer/version.hpp>

namespace dformer::programs {

inline std::size_t count(const std::vector<Checkup>& checkups, Severity severity) {
  std::size_t sum = 0;
  for (const Checkup& checkup : checkups) sum += checkup.count(severity);
  return sum;
}

namespace detail {

/// Prints a text with a hanging indent, in lines of at most about 100 bytes that break at blanks.
inline void print_wrapped(std::string line, const std::string& text, std::size_t indent) {
  constexpr std::size_t width = 100;
  line.resize(std::max(line.size() + 1, indent), ' ');
  bool begun = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find(' ', at);
    if (end == text.npos) end = text.size();
    if (begun && line.size() + 1 + end - at > width) {
      std::printf("%s\n", line.c_str());
      line.assign(indent, ' ');
      begun = false;
    }
    line.append(begun ? " " : "").append(text, at, end - at);
    begun = true;
    at = end + 1;
  }
  std::printf("%s\n", line.c_str());
}

/// The subject of a check names its file already.
inline std::string place_text(Place place, const std::string& subject) {
  if (!place.file.empty() && subject.ends_with(" " + place.file)) {
    place.file.clear();
    if (place.line > 0) return "line " + std::to_string(place.line) + ": " + place.what;
  }
  return to_string(place);
}

inline void print(const Finding& finding, const std::string& subject) {
  std::string title = std::string(finding.kind.what);
  if (finding.count > 1) title += ": " + std::to_string(finding.count);
  print_wrapped(
      "  " + std::string(to_string(finding.kind.severity)) + " " + std::string(finding.kind.name) + ":",
      title, 4);
  for (const Place& place : finding.places) {
    if (const std::string text = place_text(place, subject); !text.empty()) print_wrapped("     ", text, 6);
  }
  if (finding.count > finding.places.size())
    std::printf("      … and %zu more\n", finding.count - finding.places.size());
  print_wrapped("    ->", std::string(finding.kind.advice), 7);
}

inline Json to_json(const Finding& finding) {
  Json places = Json::array();
  for (const Place& place : finding.places) {
    Json json{{"file", place.file}, {"line", nullptr}, {"what", place.what}};
    if (place.line > 0) json["line"] = place.line;
    places.push_back(std::move(json));
  }
  return {{"kind", finding.kind.name}, {"severity", to_string(finding.kind.severity)},
          {"what", finding.kind.what}, {"advice", finding.kind.advice},
          {"count", finding.count},    {"places", std::move(places)}};
}

inline std::string counted(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace detail

inline void print(const Checkup& checkup) {
  std::printf("%s\n", checkup.subject.c_str());
  for (const Fact& fact : checkup.facts) detail::print_wrapped("  " + fact.name, fact.text, 13);
  for (const Finding& finding : checkup.findings) detail::print(finding, checkup.subject);
  std::printf("\n");
}

/// "2 errors, 1 warning, 0 notes"
inline std::string summary(const std::vector<Checkup>& checkups) {
  return detail::counted(count(checkups, Severity::error), "error") + ", " +
         detail::counted(count(checkups, Severity::warning), "warning") + ", " +
         detail::counted(count(checkups, Severity::note), "note");
}

inline Json to_json(const std::vector<Checkup>& checkups) {
  Json checks = Json::array();
  for (const Checkup& checkup : checkups) {
    Json facts = Json::array();
    for (const Fact& fact : checkup.facts) facts.push_back({{"name", fact.name}, {"text", fact.text}});
    Json findings = Json::array();
    for (const Finding& finding : checkup.findings) findings.push_back(detail::to_json(finding));
    checks.push_back({{"subject", checkup.subject}, {"facts", facts}, {"findings", findings}});
  }
  return {{"dformer", version},
          {"errors", count(checkups, Severity::error)},
          {"warnings", count(checkups, Severity::warning)},
          {"notes", count(checkups, Severity::note)},
          {"checks", std::move(checks)}};
}

/// Rows of the table of docs/doctor.md.
template <class Kinds>
void print_table(const char* of, const Kinds& kinds) {
  std::printf("\n### %s\n\n| finding | severity | says | what to do |\n|---|---|---|---|\n", of);
  for (const FindingKind* kind : kinds) {
    std::printf("| `%s` | %s | %s | %s |\n", std::string(kind->name).c_str(),
                std::string(to_string(kind->severity)).c_str(), std::string(kind->what).c_str(),
                std::string(kind->advice).c_str());
  }
}

}  // namespace dformer::programs
