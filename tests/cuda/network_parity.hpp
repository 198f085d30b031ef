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

}  // namespace dformer::testing
