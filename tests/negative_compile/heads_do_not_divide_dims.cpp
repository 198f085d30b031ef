// Expected: DFormer: twice num_heads must divide dims in every stage
#include <dformer/backend/count/count.hpp>
#include <dformer/stages/dformer.hpp>

inline constexpr dformer::DFormerConfig config{
    .dims = {32, 64, 128, 256},
    .depths = {1, 1, 1, 1},
#if defined(DFORMER_WRONG)
    .num_heads = {1, 2, 5, 8},
#endif
};
dformer::DFormer<dformer::Count, config> backbone;
