#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dformer/core/atomic_file.hpp>
#include <dformer/core/error.hpp>

/// What a training measured, as text that people and other programs read: a line of JSON for each row,
/// `{"step":120,"loss":0.513,"lr":6e-05}`. Rows need not have the same values.
namespace dformer {

struct MetricsRow {
  std::int64_t step = 0;  ///< after which the row was made, counted from 0
  std::vector<std::pair<std::string, double>> values{};

  /// NaN where the row has no such value.
  double value(std::string_view name) const {
    for (const auto& [key, number] : values) {
      if (key == name) return number;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
};

namespace detail {

/// Numbers in as few digits as give back the same; JSON has no infinities and no NaN.
inline void append_number(std::string& line, double number) {
  if (!std::isfinite(number)) {
    line += "null";
    return;
  }
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  line.append(std::begin(text), end);
}

/// Reads the lines that MetricsLog writes, and no other JSON.
class MetricsLineReader {
 public:
  explicit MetricsLineReader(std::string_view line) : rest_(line) {}

  /// False for a line of another kind.
  bool read(MetricsRow& row) {
    if (!accept("{\"step\":")) return false;
    if (!number(row.step)) return false;
    while (accept(",\"")) {
      const std::size_t end = rest_.find('"');
      if (end == rest_.npos) return false;
      row.values.emplace_back(rest_.substr(0, end), std::numeric_limits<double>::quiet_NaN());
      rest_.remove_prefix(end);
      if (!accept("\":")) return false;
      if (!accept("null") && !number(row.values.back().second)) return false;
    }
    return accept("}") && rest_.empty();
  }

 private:
  bool accept(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  template <class Number>
  bool number(Number& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return error == std::errc();
  }
  std::string_view rest_;
};

}  // namespace detail

/// One line, without its end. Throws: ArgumentError for a name that would have to be escaped.
inline std::string to_json_line(const MetricsRow& row) {
  std::string line = "{\"step\":" + std::to_string(row.step);
  for (const auto& [name, number] : row.values) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
    });
    if (!plain || name.empty()) {
      throw_argument_error("[metrics log] a name without quotes, backslashes and line ends expected, got '" +
                           name + "'");
    }
    ((line += ",\"") += name) += "\":";
    detail::append_number(line, number);
  }
  return line += '}';
}

/// The rows of a log in their order; none where there is no file. A last line that was cut off while it was
/// written is left out. Throws: FileError where the file holds something else.
inline std::vector<MetricsRow> read_metrics(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file && std::filesystem::exists(path)) throw FileError("[" + path.string() + "] cannot be read");
  std::vector<MetricsRow> rows;
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    MetricsRow row;
    if (!detail::MetricsLineReader(line).read(row)) {
      throw FileError("[" + path.string() + "] line " + std::to_string(rows.size() + 1) +
                      " is no row of a metrics log: '" + line.substr(0, 60) + "'; name another file");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// What rows have of one value, as a curve over the steps; rows without it are left out.
inline std::pair<std::vector<double>, std::vector<double>> metric_curve(const std::vector<MetricsRow>& rows,
                                                                        std::string_view name) {
  std::pair<std::vector<double>, std::vector<double>> curve;
  for (const MetricsRow& row : rows) {
    const auto found = std::find_if(row.values.begin(), row.values.end(),
                                    [name](const auto& value) { return value.first == name; });
    if (found == row.values.end()) continue;
    curve.first.push_back(static_cast<double>(row.step));
    curve.second.push_back(found->second);
  }
  return curve;
}

/// Appends rows to a log. A row is in the file when `add` returns.
class MetricsLog {
 public:
  /// `first_step` is the first that this run will do. Rows of that step and later ones, which a resumed run
  /// will make again, are dropped: all of them at 0. Throws: FileError, and the file is as before; add also
  /// throws what to_json_line does.
  explicit MetricsLog(std::filesystem::path path, std::int64_t first_step = 0) : path_(std::move(path)) {
    std::string kept;
    for (const MetricsRow& row : read_metrics(path_)) {
      if (row.step < first_step) (kept += to_json_line(row)) += '\n';
    }
    write_file_atomically(path_, kept);
    file_.open(path_, std::ios::binary | std::ios::app);
  }

  void add(const MetricsRow& row) {
    file_ << to_json_line(row) << '\n' << std::flush;
    if (!file_) throw FileError("[" + path_.string() + "] cannot be written; is the disk full?");
  }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace dformer
