#pragma once

#include <dformer/backend/cuda/device/attend.cuh>
#include <dformer/backend/cuda/device/geometry_scores.cuh>

namespace dformer::cuda {

template <class T>
void attend_with_prior(const AttentionArgs<T>& args, Stream stream) {
  constexpr const char* name = "geometry_attention";
  const AttentionProblem<T>& problem = args.problem;
  if constexpr (!std::is_same_v<T, float>) {
    const bool lines = problem.keys.length < problem.prior.tokens;
    if (lines && problem.tensor_cores &&
        device::fits_tensor_cores(problem.head_dim, problem.queries.token_step)) {
      return device::launch_on_tensor_cores<device::LineScores>(name, args, stream);
    }
  }
  device::launch_attend<device::GeometryScores>(name, args, stream);
}

template void attend_with_prior(const AttentionArgs<float>&, Stream);
template void attend_with_prior(const AttentionArgs<half>&, Stream);
template void attend_with_prior(const AttentionArgs<bfloat16>&, Stream);

}  // namespace dformer::cuda
