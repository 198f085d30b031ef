// Expected: FcnHead: a backbone has four feature maps, so Level must be 0 to 3
#include <dformer/backend/count/count.hpp>
#include <dformer/heads/fcn_head.hpp>

#if defined(DFORMER_WRONG)
constexpr int level = 4;
#else
constexpr int level = 3;
#endif
dformer::FcnHead<dformer::Count, 64, 40, level> head;
