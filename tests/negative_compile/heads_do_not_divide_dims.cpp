// Expected: DFormer: twice num_heads must divide dims in every stage
#include <dformer/backend/count/count.hpp>
#include <dformer/stages/dformer.hpp>

#if defined(DFORMER_WRONG)
constexpr int heads = 5;
#else
constexpr int heads = 4;
#endif
inline constexpr dformer::DFormerConfig config{
    .dims = {32, 64, 128, 256}, .depths = {1, 1, 1, 1}, .num_heads = {1, 2, heads, 8}};
dformer::DFormer<dformer::Count, config> backbone;
