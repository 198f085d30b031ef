// Expected: FactorizationFamily
#include <dformer/backend/concept.hpp>

struct Unfinished {
  struct Tensor {};
  struct Device {};
#if !defined(DFORMER_WRONG)
  static Tensor nmf(const Tensor&, const Tensor&, int, float);
#endif
};
static_assert(dformer::FactorizationFamily<Unfinished>);
