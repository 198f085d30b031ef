// Expected: Segmenter: num_classes must be 2 to 255; a label is one byte and 255 means ignored
#include <dformer/backend/count/count.hpp>
#include <dformer/models.hpp>

struct Dataset : dformer::NYUDepthv2 {
#if defined(DFORMER_WRONG)
  static constexpr int num_classes = 256;
#else
  static constexpr int num_classes = 255;
#endif
};
dformer::DFormer_Tiny<dformer::Count, Dataset> net;
