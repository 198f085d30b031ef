#   dformer::cuda            the kernels and what stands between the backend Cuda<> and NVIDIA's libraries; where nvcc is
#   dformer::cuda_emulation  the same kernels compiled for the host, thread by thread: for tests on machines without a GPU

# One group of kernels a file of backend/cuda/device; each becomes one generated source of one line.
set(DFORMER_CUDA_KERNELS
    attention
    convert
    geometry_attention
    gradients/attention
    gradients/geometry_attention
    gradients/nmf
    nmf
    pointwise
    rotary)

option(DFORMER_ENABLE_CUDA "Build dformer::cuda where nvcc, cuBLASLt and cuDNN are found" ON)
set(DFORMER_CUDA_ARCHITECTURES "75;80;86;89;90" CACHE STRING
    "Compute capabilities that dformer::cuda has code for; the last one also as PTX, for later GPUs")

# dformer_kernel_sources(VARIABLE SUFFIX): the generated sources of all groups.
function(dformer_kernel_sources variable suffix)
  set(sources)
  foreach(group IN LISTS DFORMER_CUDA_KERNELS)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/cuda/${group}.${suffix})
    file(GENERATE OUTPUT ${source} CONTENT "#include <dformer/backend/cuda/device/${group}.cuh>\n")
    list(APPEND sources ${source})
  endforeach()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

dformer_kernel_sources(emulated_kernels cpp)
foreach(part runtime library)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/cuda/emulated_${part}.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "#include <dformer/backend/cuda/emulation/${part}.inl>\n")
  list(APPEND emulated_kernels ${source})
endforeach()
add_library(dformer_cuda_emulation STATIC EXCLUDE_FROM_ALL ${emulated_kernels})
add_library(dformer::cuda_emulation ALIAS dformer_cuda_emulation)
target_link_libraries(dformer_cuda_emulation PUBLIC dformer PRIVATE dformer_warnings)
target_compile_definitions(dformer_cuda_emulation PUBLIC DFORMER_CUDA_EMULATION)
# Kernels unroll for a GPU: the host's compiler would take minutes over them, and their tests wait for threads anyway.
target_compile_options(dformer_cuda_emulation PRIVATE -O1)
