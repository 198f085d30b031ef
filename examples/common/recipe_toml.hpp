#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "toml_text.hpp"
#include <dformer/core/finding.hpp>
#include <dformer/io/load_report.hpp>
#include <dformer/train/recipe_checks.hpp>
#include <dformer/train/recipe_findings.hpp>

/// Recipes as TOML files.
namespace dformer::programs {

namespace detail {

/// The full names of all settings: "optimizer.lr".
class RecipeKeys {
 public:
  static std::vector<std::string> all() {
    Recipe recipe;
    RecipeKeys keys;
    Recipe::visit(recipe, keys);
    return std::move(keys.names_);
  }

  template <class T>
  void operator()(const char* key, T& member, const std::string&) {
    const std::size_t length = prefix_.size();
    if constexpr (RecipeSection<T>) {
      (prefix_ += key) += '.';
      T::visit(member, *this);
      prefix_.resize(length);
    } else {
      names_.push_back(prefix_ + key);
    }
  }

 private:
  std::string prefix_;
  std::vector<std::string> names_;
};

/// A setting of a file that there is not, or that has a value of another type.
class RecipeError : public ArgumentError {
 public:
  RecipeError(const std::string& place, const FindingKind& kind, std::size_t line, const std::string& what)
      : ArgumentError("[" + place + "] " + what), kind_(kind), line_(line), what_(what) {}

  const FindingKind& kind() const { return kind_; }
  std::size_t line() const { return line_; }
  const std::string& what_is_wrong() const { return what_; }

 private:
  FindingKind kind_;
  std::size_t line_;
  std::string what_;
};

/// A value as it would be written. toml++ has no answer to how wide some numbers of arrays are.
inline std::string given_text(const toml::node& node) {
  if (node.is_table()) return "a section";
  std::ostringstream text;
  if (const toml::array* array = node.as_array()) {
    text << '[';
    for (const toml::node& item : *array)
      text << (&item == array->get(0) ? "" : ", ") << (item.is_array() ? "[…]" : given_text(item));
    text << ']';
  } else {
    node.visit([&](const auto& value) {
      if constexpr (toml::is_value<decltype(value)>) text << value;
    });
  }
  return text.str();
}

/// Sets the members of a recipe, or of a section of one, that a table has.
class RecipeReader {
 public:
  /// `source` begins the text of errors: the file, or the option of the command line. With `checkup` errors
  /// are findings, and reading goes on after each; without, the first is thrown.
  RecipeReader(const toml::table& table, std::string source, std::string prefix, Checkup* checkup = nullptr)
      : table_(table), source_(std::move(source)), prefix_(std::move(prefix)), checkup_(checkup) {}

  template <class T>
  void operator()(const char* key, T& member, const std::string&) {
    known_.emplace_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    attempt([&] {
      if constexpr (RecipeSection<T>) {
        const toml::table* section = node->as_table();
        if (section == nullptr) fail(*node, key, "a section, [" + prefix_ + key + "], expected");
        RecipeReader reader(*section, source_, prefix_ + key + ".", checkup_);
        T::visit(member, reader);
        reader.refuse_unknown_keys();
      } else {
        read(*node, key, member);
      }
    });
  }

  /// Throws: ArgumentError naming the setting that was probably meant.
  void refuse_unknown_keys() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::ranges::find(known_, name) != known_.end()) continue;
      attempt([&, &unknown = node] { fail_unknown(unknown, name); });
    }
  }

 private:
  template <class Work>
  void attempt(const Work& work) const {
    if (checkup_ == nullptr) return work();
    try {
      work();
    } catch (const RecipeError& error) {
      checkup_->find(error.kind(), {source_, error.line(), error.what_is_wrong()});
    }
  }

  /// A setting of that name in another section, or one whose name resembles it.
  std::string nearest(const std::string& name) const {
    const std::vector<std::string> all = RecipeKeys::all();
    for (const std::string& each : all) {
      if (each.ends_with("." + name)) return each;
    }
    if (std::string near = nearest_name(name, known_); !near.empty()) return prefix_ + near;
    return nearest_name(prefix_ + name, all);
  }

  template <class T>
  void read(const toml::node& node, const char* key, T& member) const {
    if constexpr (std::is_same_v<T, bool>) {
      if (!node.is_boolean()) fail(node, key, "true or false expected");
      member = node.as_boolean()->get();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!node.is_string()) fail(node, key, "a text in quotes expected");
      member = node.as_string()->get();
    } else if constexpr (std::is_integral_v<T>) {
      if (!node.is_integer() || !std::in_range<T>(node.as_integer()->get()))
        fail(node, key,
             std::is_unsigned_v<T> ? "a whole number of 0 or more expected" : "a whole number expected");
      member = static_cast<T>(node.as_integer()->get());
    } else if constexpr (std::is_same_v<T, double>) {
      const std::optional<double> value = finite_number(node);
      if (!value) fail(node, key, "a number expected");
      member = *value;
    } else if constexpr (HasRecipeWords<T>) {
      std::optional<T> value;
      if (node.is_string()) value = recipe_value<T>(node.as_string()->get());
      if (!value) fail(node, key, recipe_words<T>() + ", in quotes, expected");
      member = *value;
    } else if constexpr (std::is_same_v<T, std::vector<double>>) {
      member = numbers(node, key, "numbers in brackets expected");
    } else {
      static_assert(std::is_same_v<T, ImageSize> || std::is_same_v<T, std::optional<ImageSize>>);
      const bool optional = !std::is_same_v<T, ImageSize>;
      const std::string expected =
          std::string("a height and a width, [480, 640], ") + (optional ? "or [] expected" : "expected");
      const std::vector<double> values = numbers(node, key, expected);
      const auto whole = [](double x) { return x == std::floor(x) && std::abs(x) < 1e9; };
      if (values.size() == 2 && whole(values[0]) && whole(values[1])) {
        member = ImageSize{static_cast<int>(values[0]), static_cast<int>(values[1])};
      } else if constexpr (!std::is_same_v<T, ImageSize>) {
        if (!values.empty()) fail(node, key, expected);
        member.reset();
      } else {
        fail(node, key, expected);
      }
    }
  }

  /// None for what is no number, and for an integer that a double does not have.
  static std::optional<double> finite_number(const toml::node& node) {
    const std::optional<double> value = node.is_number() ? node.value<double>() : std::nullopt;
    return value && std::isfinite(*value) ? value : std::nullopt;
  }

  std::vector<double> numbers(const toml::node& node, const char* key, const std::string& expected) const {
    if (!node.is_array()) fail(node, key, expected);
    std::vector<double> values;
    for (const toml::node& item : *node.as_array()) {
      const std::optional<double> value = finite_number(item);
      if (!value) fail(node, key, expected);
      values.push_back(*value);
    }
    return values;
  }

  [[noreturn]] void fail(const toml::node& node, const std::string& key, const std::string& what) const {
    fail(recipe_findings::invalid_setting, node, key, what + ", got " + given_text(node));
  }
  [[noreturn]] void fail_unknown(const toml::node& node, const std::string& key) const {
    const std::string near = nearest(key);
    fail(recipe_findings::unknown_setting, node, key,
         std::string("there is no such ") + (node.is_table() ? "section" : "setting") +
             (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  [[noreturn]] void fail(const FindingKind& kind, const toml::node& node, const std::string& key,
                         const std::string& what) const {
    const std::size_t line = node.source().begin.line;
    const std::string place = source_.starts_with("--") ? source_ : source_ + ":" + std::to_string(line);
    throw RecipeError(place, kind, line, prefix_ + key + ": " + what);
  }

  const toml::table& table_;
  std::string source_;
  std::string prefix_;
  Checkup* checkup_;
  std::vector<std::string> known_;
};

inline void set_from(Recipe& recipe, const toml::table& table, const std::string& source,
                     Checkup* checkup = nullptr) {
  RecipeReader reader(table, source, "", checkup);
  Recipe::visit(recipe, reader);
  reader.refuse_unknown_keys();
}

/// A text in quotes, as TOML has it.
inline std::string quoted_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
      result += escape;
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

/// A recipe as text, with what each setting is.
class RecipeWriter {
 public:
  std::string text;

  template <class T>
  void operator()(const char* key, const T& member, const std::string& help) {
    if constexpr (RecipeSection<const T>) {
      text += std::string("\n[") + key + "]" + (help.empty() ? "" : "  # " + help) + "\n";
      T::visit(member, *this);
    } else {
      std::string line = std::string(key) + " = " + value(member);
      if (!help.empty()) {
        line.resize(std::max(line.size() + 2, std::size_t{40}), ' ');
        line += "# " + help;
      }
      text += line + "\n";
    }
  }

 private:
  static std::string value(bool x) { return x ? "true" : "false"; }
  static std::string value(int x) { return std::to_string(x); }
  static std::string value(std::uint64_t x) { return std::to_string(x); }
  /// The shortest text that reads back as the same number.
  static std::string value(double x) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
    std::string number(buffer, end);
    if (number.find_first_of(".e") == number.npos) return number + ".0";
    const std::size_t exponent = number.find("e-0");
    return exponent == number.npos ? number : number.erase(exponent + 2, 1);
  }
  static std::string value(const std::string& x) { return quoted_text(x); }
  static std::string value(const ImageSize& x) {
    return "[" + std::to_string(x.height) + ", " + std::to_string(x.width) + "]";
  }
  static std::string value(const std::optional<ImageSize>& x) { return x ? value(*x) : "[]"; }
  static std::string value(const std::vector<double>& list) {
    std::string items;
    for (double x : list) (items += items.empty() ? "" : ", ") += value(x);
    return "[" + items + "]";
  }
  template <HasRecipeWords E>
  static std::string value(E x) {
    return "\"" + std::string(recipe_word(x)) + "\"";
  }
};

}  // namespace detail

/// The text of a file for a recipe: every setting, and what it is.
inline std::string to_toml(const Recipe& recipe) {
  detail::RecipeWriter writer;
  Recipe::visit(recipe, writer);
  return std::move(writer.text);
}

/// A recipe of TOML text; what the text does not set is as by default. `source` names it in errors.
/// Throws: ArgumentError for what is no TOML, a setting that there is not, and a value of another type. What
/// the settings say is checked by `require_valid`.
inline Recipe parse_recipe(std::string_view text, const std::string& source) {
  Recipe recipe;
  try {
    detail::set_from(recipe, parse_toml(text, source), source);
  } catch (const toml::parse_error& error) {
    throw ArgumentError("[" + source + ":" + std::to_string(error.source().begin.line) +
                        "] is no TOML: " + std::string(error.description()));
  }
  return recipe;
}

namespace detail {

/// Throws: ArgumentError for a file that cannot be read.
inline std::string recipe_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    throw_argument_error("[" + file.string() +
                         "] cannot be opened; expected a recipe, such as those in examples/recipes");
  }
  constexpr std::size_t most = 1u << 20;  // a device never ends
  std::string text(most, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() == most)
    throw_argument_error("[" + file.string() + "] is longer than any recipe: 1 MB or more");
  return text;
}

}  // namespace detail

/// The same of a file. Throws also: ArgumentError for a file that cannot be read.
inline Recipe read_recipe(const std::filesystem::path& file) {
  return parse_recipe(detail::recipe_text(file), file.string());
}

/// The same, where everything that is wrong is a finding: settings that there are not or that cannot be keep
/// their defaults. None for a file that cannot be read or is no TOML.
inline std::optional<Recipe> examine_recipe(const std::filesystem::path& file, Checkup& checkup) {
  const std::string name = file.string();
  try {
    Recipe recipe;
    const toml::table table = parse_toml(detail::recipe_text(file), name);
    detail::set_from(recipe, table, name, &checkup);
    return recipe;
  } catch (const toml::parse_error& error) {
    checkup.find(recipe_findings::unreadable_recipe,
                 {name, error.source().begin.line, "is no TOML: " + std::string(error.description())});
  } catch (const ArgumentError& error) {
    checkup.find(recipe_findings::unreadable_recipe, {name, 0, error.what()});
  }
  return std::nullopt;
}

/// Sets what "section.key=value" says. The value is TOML; what is none is a text, so that words and paths
/// need no quotes. Throws: ArgumentError.
inline void override_recipe(Recipe& recipe, const std::string& assignment) {
  const std::string source = "--cfg-options " + assignment;
  const std::size_t equals = assignment.find('=');
  if (equals == 0 || equals == assignment.npos) {
    throw_argument_error("[" + source + "] expected key=value, such as optimizer.lr=1e-4");
  }
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  toml::table table;
  try {
    table = parse_toml(key + " = " + value, source);
  } catch (const std::runtime_error&) {  // also what parse_toml itself refuses, such as a path beyond ASCII
    try {
      table = parse_toml(key + " = " + detail::quoted_text(value), source);
    } catch (const toml::parse_error& error) {
      throw ArgumentError("[" + source + "] is no setting: " + std::string(error.description()));
    }
  }
  detail::set_from(recipe, table, source);
}

}  // namespace dformer::programs
