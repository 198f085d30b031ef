// Expected: DFormerV2: depths must be at least 1 in every stage
#include <dformer/backend/count/count.hpp>
#include <dformer/stages/dformer_v2.hpp>

#if defined(DFORMER_WRONG)
constexpr int depth = 0;
#else
constexpr int depth = 1;
#endif
inline constexpr dformer::DFormerV2Config config{.dims = {64, 128, 256, 512},
                                                 .depths = {3, 4, depth, 3},
                                                 .num_heads = {4, 4, 8, 16},
                                                 .heads_ranges = {4, 4, 6, 6}};
dformer::DFormerV2<dformer::Count, config> backbone;
