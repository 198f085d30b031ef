#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <type_traits>

#include <cuda/network_parity.hpp>
#include <support/backend_under_test.hpp>

/// All published networks on a GPU beside their recorded runs, at three sizes each; compiled once for each
/// precision.
namespace dformer::testing {

/// The largest result of an operation in a recorded run, in float32.
template <template <class, class> class Variant>
float largest_result(const std::string& name) {
  using B = Observe<Cuda<float>>;
  const cuda::Device device;
  Variant<B, NYUDepthv2> network;
  const ParityFixture fixture(std::string(DFORMER_TEST_DATA) + "/models/" + name + ".safetensors");
  check_parity(network, fixture, device);  // sets its parameters
  float largest = 0.0f;
  auto seen = [&](const typename B::Tensor*, const typename B::Tensor& result) {
    for (const float value : parity::to_host<B>(result).values) largest = std::max(largest, std::abs(value));
  };
  const typename B::template Scope<decltype(seen)> scope(seen);
  network(parity::input<B>(fixture, "input.rgb", 3, 2.0f, device),
          parity::input<B>(fixture, "input.depth", 1, 1.0f, device));
  return largest;
}

/// Whole networks of this precision. How far each is off is printed.
template <class Scalar>
class AllNetworks : public ::testing::Test {
 protected:
  template <template <class, class> class Variant>
  void expect_recorded(const std::string& network) {
    for (const char* size : {"1x64x96", "1x72x104", "2x96x128"}) {
      const double difference = logits_difference<Variant, Scalar>(network + "." + size);
      std::printf("%s %s: %.2e of the largest logit\n", network.c_str(), size, difference);
      // The recorded runs' parameters are drawn, not trained: some of DFormerv2's results reach millions.
      if constexpr (std::is_same_v<Scalar, half>) {
        if (!std::isfinite(difference)) {
          EXPECT_GT(largest_result<Variant>(network + "." + size), 65504.0f) << network << " " << size;
          continue;
        }
      }
      EXPECT_LT(difference, (std::is_same_v<Scalar, float> ? 1e-4 : logits_bound<Scalar>))
          << network << " " << size;
    }
  }
};
TYPED_TEST_SUITE_P(AllNetworks);

TYPED_TEST_P(AllNetworks, OfDFormer) {
  this->template expect_recorded<DFormer_Tiny>("DFormer_Tiny");
  this->template expect_recorded<DFormer_Small>("DFormer_Small");
  this->template expect_recorded<DFormer_Base>("DFormer_Base");
  this->template expect_recorded<DFormer_Large>("DFormer_Large");
}
TYPED_TEST_P(AllNetworks, OfDFormerv2) {
  this->template expect_recorded<DFormerv2_S>("DFormerv2_S");
  this->template expect_recorded<DFormerv2_B>("DFormerv2_B");
  this->template expect_recorded<DFormerv2_L>("DFormerv2_L");
}
REGISTER_TYPED_TEST_SUITE_P(AllNetworks, OfDFormer, OfDFormerv2);

}  // namespace dformer::testing
