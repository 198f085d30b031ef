#include <cuda/all_networks.hpp>

namespace dformer::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Float32, AllNetworks, float);
}
