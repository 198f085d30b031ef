#pragma once

#include <cstdio>

#include <cuda/network_parity.hpp>
#include <support/backend_under_test.hpp>

/// All published networks on a GPU beside their recorded runs, at three sizes each; compiled once for each
/// precision.
namespace dformer::testing {

/// Whole networks of this precision, of which the worst is printed: how near the bound is met is of interest.
template <class Scalar>
class AllNetworks : public ::testing::Test {
 protected:
  template <template <class, class> class Variant>
  void expect_recorded(const std::string& network) {
    for (const char* size : {"1x64x96", "1x72x104", "2x96x128"}) {
      const double difference = logits_difference<Variant, Scalar>(network + "." + size);
      std::printf("%s %s: %.2e of the largest logit\n", network.c_str(), size, difference);
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
