#pragma once

#include <dformer/backend/cuda/device/attend.cuh>
#include <dformer/backend/cuda/device/geometry_scores.cuh>

namespace dformer::cuda {

template <class T>
void attend_with_prior(const AttentionArgs<T>& args, Stream stream) {
  device::launch_attend<device::GeometryScores>("geometry_attention", args, stream);
}

template void attend_with_prior(const AttentionArgs<float>&, Stream);
template void attend_with_prior(const AttentionArgs<half>&, Stream);
template void attend_with_prior(const AttentionArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
