#pragma once

#include <array>
#include <numeric>

namespace dformer {

/// The drop-path rates of a backbone's blocks, one after the other: evenly spaced from 0 to the given rate.
class DropPathRates {
 public:
  DropPathRates(float rate, const std::array<int, 4>& depths)
      : rate_(rate), last_(std::accumulate(depths.begin(), depths.end(), 0) - 1) {}

  float next() {
    return last_ == 0 ? 0.0f : rate_ * static_cast<float>(index_++) / static_cast<float>(last_);
  }

  template <class Blocks>
  void next(Blocks& blocks) {
    for (auto& block : blocks) block.drop_path = next();
  }

 private:
  float rate_;
  int last_;
  int index_ = 0;
};

}  // namespace dformer
