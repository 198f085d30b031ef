#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dformer::detail {

/// The Lovász extension of the Jaccard loss (Berman et al., CVPR 2018, algorithm 1): errors sorted from the
/// largest, each weighed by what it adds to 1 - intersection / union when the pixels so far are wrong.
class LovaszExtension {
 public:
  explicit LovaszExtension(std::size_t pixels) { entries_.reserve(pixels); }

  /// `index` is the caller's own, below 2^31, and rises from call to call.
  void add(float error, bool is_truth, std::uint32_t index) {
    entries_.push_back({descending(error), index << 1 | (is_truth ? 1u : 0u)});
    truth_ += is_truth ? 1 : 0;
  }

  /// Calls `visit(index, is_truth, weight)` for every pixel, weight being the derivative of the extension
  /// with respect to its error. Among equal errors the one with the smaller index comes first.
  template <class Visit>
  void for_each(const Visit& visit) {
    sort();
    double intersection = truth_;
    double union_ = truth_;
    double before = 0;
    for (const Entry& entry : entries_) {
      const bool is_truth = (entry.index_and_truth & 1u) != 0;
      (is_truth ? intersection : union_) += is_truth ? -1 : 1;
      const double jaccard_loss = 1 - intersection / union_;
      visit(entry.index_and_truth >> 1, is_truth, jaccard_loss - before);
      before = jaccard_loss;
    }
  }

 private:
  struct Entry {
    std::uint32_t key;
    std::uint32_t index_and_truth;
  };

  /// By key, equal ones in the order of their indices: a radix sort of three digits, several times as fast as
  /// comparing, which is most of what a loss of this kind takes.
  void sort() {
    constexpr unsigned digit_bits = 11;
    std::vector<Entry> sorted(entries_.size());
    for (unsigned shift = 0; shift < 32; shift += digit_bits) {
      const auto digit = [shift](const Entry& entry) {
        return (entry.key >> shift) & ((1u << digit_bits) - 1);
      };
      std::array<std::uint32_t, std::size_t{1} << digit_bits> place{};
      for (const Entry& entry : entries_) ++place[digit(entry)];
      std::uint32_t before = 0;
      for (std::uint32_t& first : place) first = std::exchange(before, before + first);
      for (const Entry& entry : entries_) sorted[place[digit(entry)]++] = entry;
      entries_.swap(sorted);
    }
  }

  /// Unsigned numbers in the opposite order of floats.
  static std::uint32_t descending(float error) {
    const auto bits = std::bit_cast<std::uint32_t>(error);
    return (bits & 0x80000000u) != 0 ? bits : ~(bits | 0x80000000u);
  }

  std::vector<Entry> entries_;
  double truth_ = 0;
};

}  // namespace dformer::detail
