// Expected: StorageFamily
#if !defined(DFORMER_WRONG)
#include <dformer/backend/cpu/cpu.hpp>
#endif
#include <dformer/models.hpp>

dformer::DFormer_Tiny<> net;
