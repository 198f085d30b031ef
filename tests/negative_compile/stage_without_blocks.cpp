// Expected: DFormerV2: depths must be at least 1 in every stage
#include <dformer/backend/count/count.hpp>
#include <dformer/stages/dformer_v2.hpp>

inline constexpr dformer::DFormerV2Config config{
    .dims = {64, 128, 256, 512},
#if defined(DFORMER_WRONG)
    .depths = {3, 4, 0, 3},
#else
    .depths = {1, 1, 1, 1},
#endif
    .num_heads = {4, 4, 8, 16},
    .heads_ranges = {4, 4, 6, 6},
};
dformer::DFormerV2<dformer::Count, config> backbone;
