// Expected: DFormerAttention: NumHeads must divide Dim / 2
#include <dformer/backend/count/count.hpp>
#include <dformer/blocks/dformer_attention.hpp>

#if defined(DFORMER_WRONG)
constexpr int heads = 3;
#else
constexpr int heads = 4;
#endif
dformer::DFormerAttention<dformer::Count, 64, heads, 7, dformer::DepthBranch::goes_on> attention;
