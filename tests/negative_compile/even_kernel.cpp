// Expected: DepthwiseConv2d keeps the size of its input, so its kernel must be odd
#include <dformer/backend/count/count.hpp>
#include <dformer/nn/conv2d.hpp>

#if defined(DFORMER_WRONG)
constexpr int kernel = 4;
#else
constexpr int kernel = 3;
#endif
dformer::DepthwiseConv2d<dformer::Count, 8, kernel> convolution;
