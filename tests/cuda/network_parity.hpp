#pragma once

#include <cmath>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include <dformer/backend/observe.hpp>
#include <dformer/cuda.hpp>
#include <dformer/io/parity.hpp>
#include <dformer/models/variants.hpp>

namespace dformer::testing {

/// The largest difference of the logits from those of a recorded run, over the largest of these. In float32
/// everything else that was recorded must be met as well.
template <template <class, class> class Variant, class Scalar>
double logits_difference(const std::string& name) {
  Variant<Observe<Cuda<Scalar>>, NYUDepthv2> network;
  const ParityFixture fixture(std::string(DFORMER_TEST_DATA) + "/models/" + name + ".safetensors");
  const ParityReport report = check_parity(network, fixture, cuda::Device());
  double difference = INFINITY;
  for (const ParityEntry& entry : report.entries) {
    if (std::is_same_v<Scalar, float>) {
      EXPECT_TRUE(entry.passed()) << entry.name << ": " << entry.max_abs << ", allowed " << entry.tolerance;
    }
    if (entry.name == "logits") difference = entry.max_rel;
  }
  return difference;
}

/// Every operation rounds its result once, by at most the unit roundoff u of Scalar, relative to the values
/// it adds up; some hundred operations lie one behind another, and independent errors add as their root: 10 u
/// of the largest logit, and three times that since branches meet.
template <class Scalar>
constexpr double logits_bound = 30 * (std::is_same_v<Scalar, half> ? 0x1p-11 : 0x1p-8);

}  // namespace dformer::testing
