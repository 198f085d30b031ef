#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace dformer {

/// The axis of a chart: which values it shows, where they lie, and which of them are named.
class Axis {
 public:
  /// Of the values given to `include`; finite ones count, and positive ones alone where it is logarithmic.
  explicit Axis(bool logarithmic = false) : logarithmic_(logarithmic) {}

  bool shows(double value) const { return std::isfinite(value) && (!logarithmic_ || value > 0); }
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  bool empty() const { return !(low_ <= high_); }

  /// Room for a line that touches neither end; zero is taken in where it is near. To be called once.
  void widen() {
    if (empty()) low_ = logarithmic_ ? 1 : 0, high_ = low_ + 1;
    if (logarithmic_) {
      const double margin = std::pow(10, std::max(0.03 * std::log10(high_ / low_), 0.02));
      low_ /= margin;
      high_ *= margin;
      return;
    }
    const double extent = high_ > low_ ? high_ - low_ : (high_ != 0 ? std::abs(high_) : 1);
    const bool from_zero = low_ >= 0 && low_ <= extent;
    const bool to_zero = !from_zero && high_ <= 0 && -high_ <= extent;
    low_ = from_zero ? 0 : low_ - 0.05 * extent;
    high_ = to_zero ? 0 : high_ + 0.05 * extent;
  }

  /// 0 at the low end, 1 at the high one.
  double place(double value) const {
    if (logarithmic_) return std::log(value / low_) / std::log(high_ / low_);
    return (value - low_) / (high_ - low_);
  }

  struct Tick {
    double value;
    std::string text;
  };
  /// Round values, about `count` of them or fewer, and at least `least` apart: 1 for what is counted.
  std::vector<Tick> ticks(int count, double least = 0) const {
    std::vector<double> values = logarithmic_ ? powers() : std::vector<double>();
    const double step = round_step(std::max((high_ - low_) / std::max(count, 1), least));
    if (values.size() < 2) {
      values.clear();
      for (double i = std::ceil(low_ / step - 1e-9); i * step <= high_ + 1e-9 * step; ++i)
        values.push_back(i * step);
    }
    std::vector<Tick> result;
    for (double value : values) result.push_back({value, number_text(value, logarithmic_ ? value : step)});
    return result;
  }

  /// A number in as many digits as tell it from its neighbours `step` away.
  static std::string number_text(double value, double step) {
    if (value == 0) return "0";
    const int highest = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
    const int lowest = static_cast<int>(std::floor(std::log10(step) + 1e-9));
    char text[32];
    if (lowest < -4 || highest > 6) {
      std::snprintf(text, sizeof text, "%.*e", std::clamp(highest - lowest, 0, 6), value);
      return short_exponent(text);
    }
    std::snprintf(text, sizeof text, "%.*f", std::max(0, -lowest), value);
    return text;
  }

 private:
  /// The largest of 1, 2 and 5 times a power of ten that is near `step` and not below it.
  static double round_step(double step) {
    const double power = std::pow(10, std::floor(std::log10(step)));
    for (double factor : {1.0, 2.0, 5.0}) {
      if (step <= factor * power * (1 + 1e-9)) return factor * power;
    }
    return 10 * power;
  }

  /// Powers of ten, and twice and five times these where there are few.
  std::vector<double> powers() const {
    std::vector<double> values;
    const bool few = high_ / low_ < 1000;
    for (double e = std::floor(std::log10(low_)); e <= std::log10(high_); ++e) {
      for (double factor : {1.0, 2.0, 5.0}) {
        const double value = factor * std::pow(10, e);
        if (value >= low_ && value <= high_ && (factor == 1 || few)) values.push_back(value);
      }
    }
    return values;
  }

  /// "6e-5" of "6e-05".
  static std::string short_exponent(std::string text) {
    std::size_t at = text.find('e') + 1;
    if (text[at] == '+') text.erase(at, 1);
    if (text[at] == '-') ++at;
    while (at + 1 < text.size() && text[at] == '0') text.erase(at, 1);
    return text;
  }

  bool logarithmic_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

}  // namespace dformer
