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
  std::string source;                  ///< the container and the place in it
  std::vector<std::string> applied;    ///< names in the network, also of those renamed
  std::vector<Renamed> renamed;        ///< where the file has another name
  std::vector<Missing> missing;        ///< in the network, not in the file
  std::vector<std::string> unused;     ///< in the file, not in the network
  std::vector<Mismatched> mismatched;  ///< in both, with shapes that differ
  std::vector<Mismatched> skipped;     ///< the same, but allowed by LoadOptions::skip_mismatched
  std::vector<std::string> ignored;    ///< in the file, known to be of no use
  std::vector<std::string> outside;    ///< in the network, outside LoadOptions::prefix

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

inline void append_names(std::string& text, std::string_view title, const std::vector<std::string>& names) {
  if (names.empty()) return;
  text += "\n  " + std::string(title) + ": " + std::to_string(names.size());
  for (const std::string& name : names) text += "\n    " + name;
}

inline void append_mismatches(std::string& text, std::string_view title,
                              const std::vector<LoadReport::Mismatched>& list) {
  if (list.empty()) return;
  text += "\n  " + std::string(title) + ": " + std::to_string(list.size());
  for (const LoadReport::Mismatched& entry : list) {
    text += "\n    " + entry.name + ": file " + to_string(entry.file_shape) + ", network " +
            to_string(entry.shape);
  }
}

}  // namespace detail

/// The report for people: a line that sums it up, then every name that needs attention.
inline std::string to_string(const LoadReport& report) {
  std::string text =
      report.path + " (" + report.source + "): " + std::to_string(report.applied.size()) + " tensors applied";
  if (!report.renamed.empty()) text += ", " + std::to_string(report.renamed.size()) + " of them renamed";
  if (!report.ignored.empty()) text += ", " + std::to_string(report.ignored.size()) + " ignored";
  if (!report.outside.empty())
    text += ", " + std::to_string(report.outside.size()) + " of the network left as they were";
  if (!report.missing.empty()) {
    text += "\n  missing, in the network but not in the file: " + std::to_string(report.missing.size());
    for (const LoadReport::Missing& entry : report.missing) {
      text += "\n    " + entry.name + " " + to_string(entry.shape);
      if (!entry.nearest.empty()) text += "; the file has " + entry.nearest;
    }
  }
  detail::append_names(text, "unused, in the file but not in the network", report.unused);
  detail::append_mismatches(text, "mismatched, with another shape in the file", report.mismatched);
  detail::append_mismatches(text, "skipped as asked, with another shape in the file", report.skipped);
  return text;
}

}  // namespace dformer
