// Expected: SegmentationDataset
#include <dformer/backend/count/count.hpp>
#include <dformer/models.hpp>

struct Dataset : dformer::NYUDepthv2 {
#if defined(DFORMER_WRONG)
  struct num_classes {};
#endif
};
dformer::DFormer_Tiny<dformer::Count, Dataset> net;
