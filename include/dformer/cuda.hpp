#pragma once

/// The CUDA backend: networks on NVIDIA's GPUs, `DFormer_Large<Cuda<half>>`. Link dformer::cuda.
#if !defined(DFORMER_HAS_CUDA) && !defined(DFORMER_CUDA_EMULATION)
#error "dformer/cuda.hpp: link dformer::cuda, which is built where nvcc, cuBLASLt and cuDNN are found"
#endif

#include <dformer/backend/cuda/captured.hpp>
#include <dformer/backend/cuda/cuda.hpp>
