#pragma once

#include <dformer/backend/cuda/device/gradients/attention_kernels.cuh>

namespace dformer::cuda {

template <class T>
void attention_gradient(const AttentionGradientArgs<T>& args, Stream stream) {
  device::launch_gradients<device::PlainScores>("attention gradient", args, stream);
}

template void attention_gradient(const AttentionGradientArgs<float>&, Stream);
template void attention_gradient(const AttentionGradientArgs<half>&, Stream);
template void attention_gradient(const AttentionGradientArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
