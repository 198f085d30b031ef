#pragma once

namespace dformer::cuda {

/// A cudaStream_t, without CUDA's headers: what is started on one is done in order, and not waited for.
using Stream = struct StreamHandle*;

}  // namespace dformer::cuda
