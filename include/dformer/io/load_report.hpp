#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <dformer/core/shape.hpp>

namespace dformer {

/// What loading did with every tensor of the file and of the network.
struct LoadReport {
  struct Renamed {
    std::string file_name;
    std::string name;
  };
  struct Missing {
    std::string name;
    Shape shape;
    std::string nearest;  ///< an unused name of the file that resembles it, or empty
  };
  struct Mismatched {
    std::string name;
    Shape file_shape;
    Shape shape;
  };

  std::string path;
  std::string source;                   ///< the container and the place in it
  std::vector<std::string> applied;     ///< names in the network, also of those renamed
  std::vector<Renamed> renamed;         ///< where the file has another name
  std::vector<Missing> missing;         ///< in the network, not in the file
  std::vector<std::string> unused;      ///< in the file, not in the network
  std::vector<Mismatched> mismatched;   ///< in both, with shapes that differ
  std::vector<Mismatched> skipped;      ///< the same, but allowed by LoadOptions::skip_mismatched
  std::vector<std::string> ignored;     ///< in the file, known to be of no use
  std::vector<std::string> outside;     ///< in the network, outside LoadOptions::prefix
  std::vector<std::string> not_finite;  ///< of those applied: NaN or infinity is among their values

  /// Whether strict loading accepts it.
  bool complete() const { return missing.empty() && unused.empty() && mismatched.empty(); }
};

namespace detail {

/// Levenshtein's distance, or `limit` if it is not below that.
inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= limit) return limit;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    std::size_t best = row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
      best = std::min(best, row[j + 1]);
    }
    if (best >= limit) return limit;
  }
  return std::min(row.back(), limit);
}

}  // namespace detail

/// The name that most resembles `name`, or empty if none is near: at most a quarter of it differs.
inline std::string nearest_name(std::string_view name, const std::vector<std::string>& names) {
  std::size_t limit = std::max<std::size_t>(3, name.size() / 4 + 1);
  std::string nearest;
  for (const std::string& candidate : names) {
    const std::size_t distance = detail::edit_distance(name, candidate, limit);
    if (distance >= limit) continue;
    limit = distance;
    nearest = candidate;
  }
  return nearest;
}

namespace detail {

inline std::string report_line(const std::string& name) {
  return name;
}
inline std::string report_line(const LoadReport::Missing& entry) {
  return entry.name + " " + to_string(entry.shape) +
         (entry.nearest.empty() ? "" : "; the file has " + entry.nearest);
}
inline std::string report_line(const LoadReport::Mismatched& entry) {
  return entry.name + ": file " + to_string(entry.file_shape) + ", network " + to_string(entry.shape);
}

/// How many entries of a list people are shown; another network's file has a thousand.
inline constexpr std::size_t most_listed = 12;

/// A title with the number of entries, and the first of them, a line each.
template <class Entry>
void append_list(std::string& text, std::string_view title, const std::vector<Entry>& list) {
  if (list.empty()) return;
  text += "\n  " + std::string(title) + ": " + std::to_string(list.size());
  for (std::size_t i = 0; i < std::min(list.size(), most_listed); ++i)
    text += "\n    " + report_line(list[i]);
  if (list.size() > most_listed) text += "\n    and " + std::to_string(list.size() - most_listed) + " more";
}
}  // namespace detail

/// The report for people: a line that sums it up, then names that need attention, up to twelve of a kind.
inline std::string to_string(const LoadReport& report) {
  std::string text =
      report.path + " (" + report.source + "): " + std::to_string(report.applied.size()) + " tensors applied";
  if (!report.renamed.empty()) text += ", " + std::to_string(report.renamed.size()) + " of them renamed";
  if (!report.ignored.empty()) text += ", " + std::to_string(report.ignored.size()) + " ignored";
  if (!report.outside.empty())
    text += ", " + std::to_string(report.outside.size()) + " of the network left as they were";
  const auto append = [&](std::string_view title, const auto& list) {
    detail::append_list(text, title, list);
  };
  append("missing, in the network but not in the file", report.missing);
  append("unused, in the file but not in the network", report.unused);
  append("mismatched, with another shape in the file", report.mismatched);
  append("skipped as asked, with another shape in the file", report.skipped);
  append("not finite: NaN or infinity is among the values", report.not_finite);
  return text;
}

}  // namespace dformer
