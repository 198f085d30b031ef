#   dformer::cuda            the kernels and what stands between the backend Cuda<> and NVIDIA's libraries; where CUDA is
#   dformer::cuda_models     the published networks on it, compiled once, of a name chosen at run time
#   dformer::cuda_emulation  the same kernels compiled for the host, thread by thread: for tests on machines without a GPU

# One group of kernels a file of backend/cuda/device; each becomes one generated source of one line.
set(DFORMER_CUDA_KERNELS
    adaptive_avg_pool
    attention
    convert
    depthwise_conv2d
    depthwise_on_tensor_cores
    epilogue
    geometry_attention
    gradients/attention
    gradients/batch_norm
    gradients/cross_entropy
    gradients/depthwise_conv2d
    gradients/geometry_attention
    gradients/layer_norm
    gradients/nmf
    gradients/nmf_on_tensor_cores
    gradients/optimizer
    gradients/pointwise
    gradients/resample
    linear
    nmf
    nmf_on_tensor_cores
    norm
    pointwise
    resize_argmax
    resize_bilinear
    rotary)

option(DFORMER_ENABLE_CUDA "Build dformer::cuda where nvcc, cuBLASLt and cuDNN are found" ON)
set(DFORMER_CUDA_ARCHITECTURES "75;80;86;89;90" CACHE STRING
    "Compute capabilities that dformer::cuda has code for; the last one also as PTX, for later GPUs")

# dformer_cuda_sources(VARIABLE SUFFIX HEADER…): a generated source of one line for each header of backend/cuda.
function(dformer_cuda_sources variable suffix)
  set(sources)
  foreach(header IN LISTS ARGN)
    string(REGEX REPLACE "\\.[a-z]+$" "" name ${header})
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/cuda/${name}.${suffix})
    file(GENERATE OUTPUT ${source} CONTENT "#include <dformer/backend/cuda/${header}>\n")
    list(APPEND sources ${source})
  endforeach()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

list(TRANSFORM DFORMER_CUDA_KERNELS REPLACE "(.+)" "device/\\1.cuh" OUTPUT_VARIABLE kernel_headers)

dformer_cuda_sources(emulation_sources cpp ${kernel_headers} emulation/runtime.inl emulation/library.inl)
add_library(dformer_cuda_emulation STATIC EXCLUDE_FROM_ALL ${emulation_sources})
add_library(dformer::cuda_emulation ALIAS dformer_cuda_emulation)
target_link_libraries(dformer_cuda_emulation PUBLIC dformer PRIVATE dformer_warnings)
target_compile_definitions(dformer_cuda_emulation PUBLIC DFORMER_CUDA_EMULATION)
# Kernels unroll for a GPU: the host's compiler would take minutes over them, and their tests wait for threads anyway.
target_compile_options(dformer_cuda_emulation PRIVATE -O1)

if(NOT DFORMER_ENABLE_CUDA)
  return()
endif()

list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
include(CheckLanguage)
check_language(CUDA)
find_package(CUDAToolkit 12 QUIET)
find_package(CUDNN 9.8 QUIET)
set(missing)
if(NOT CMAKE_CUDA_COMPILER)
  list(APPEND missing nvcc)
endif()
if(NOT TARGET CUDA::cudart_static OR NOT TARGET CUDA::cublasLt)
  list(APPEND missing "CUDA 12 or later with cuBLASLt")
endif()
if(NOT CUDNN_FOUND)
  list(APPEND missing "cuDNN 9.8 or later")
endif()
if(missing)
  list(JOIN missing ", " missing)
  message(STATUS "dformer: without CUDA, so no dformer::cuda; not found: ${missing}")
  return()
endif()
enable_language(CUDA)
message(STATUS "dformer: CUDA ${CUDAToolkit_VERSION} and cuDNN ${CUDNN_VERSION} for compute capabilities "
               "${DFORMER_CUDA_ARCHITECTURES}")

dformer_cuda_sources(kernel_sources cu ${kernel_headers})
dformer_cuda_sources(library_sources cpp nvidia/runtime.inl nvidia/library.inl)
add_library(dformer_cuda STATIC ${kernel_sources} ${library_sources})
add_library(dformer::cuda ALIAS dformer_cuda)

# Code for each capability, and the last one's PTX as well.
list(TRANSFORM DFORMER_CUDA_ARCHITECTURES APPEND "-real" OUTPUT_VARIABLE architectures)
list(GET DFORMER_CUDA_ARCHITECTURES -1 last)
list(APPEND architectures ${last}-virtual)
set_target_properties(dformer_cuda PROPERTIES EXPORT_NAME cuda POSITION_INDEPENDENT_CODE ON
                                              CUDA_ARCHITECTURES "${architectures}" CUDA_RUNTIME_LIBRARY Static)

# Users are compiled by the host's compiler alone and need none of CUDA's headers. CMake 3.25 does not know C++20 for nvcc,
# and the kernels are C++17.
target_link_libraries(dformer_cuda PUBLIC dformer PRIVATE CUDA::cudart_static CUDA::cublasLt CUDNN::cudnn
                                          $<BUILD_INTERFACE:dformer_warnings>)
string(REGEX REPLACE "[^0-9;]" "" capabilities "${DFORMER_CUDA_ARCHITECTURES}")  # 90a is 90
list(JOIN capabilities "," capabilities)
# Not for nvcc, which would take the commas for the ends of definitions.
target_compile_definitions(dformer_cuda PUBLIC DFORMER_HAS_CUDA
                                        PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:DFORMER_CUDA_CAPABILITIES=${capabilities}>")
target_compile_options(dformer_cuda PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++17;--threads=2;-Xcompiler=-Wall,-Wextra>")

foreach(scalar float half bfloat16)
  dformer_model_sources(cuda_${scalar}_sources models_cuda_${scalar} "Cuda<${scalar}>" dformer/cuda.hpp)
  list(APPEND cuda_model_sources ${cuda_${scalar}_sources})
endforeach()
add_library(dformer_cuda_models STATIC ${cuda_model_sources})
add_library(dformer::cuda_models ALIAS dformer_cuda_models)
set_target_properties(dformer_cuda_models PROPERTIES EXPORT_NAME cuda_models POSITION_INDEPENDENT_CODE ON)
target_link_libraries(dformer_cuda_models PUBLIC dformer_cuda PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_cuda_models INTERFACE DFORMER_PRECOMPILED_CUDA_MODELS)

# dformer::cuda_training_models: the same networks as they train. They take minutes to compile, so programs that train have
# them where it is asked for.
option(DFORMER_CUDA_TRAINING "Let dformer_train and dformer_quickstart train on GPUs" OFF)
foreach(scalar float half bfloat16)
  dformer_model_sources(cuda_training_${scalar}_sources models_cuda_training_${scalar} "Autodiff<Cuda<${scalar}>>"
                        dformer/backend/autodiff/autodiff.hpp dformer/backend/cuda/gradients/gradients.hpp)
  list(APPEND cuda_training_sources ${cuda_training_${scalar}_sources})
endforeach()
add_library(dformer_cuda_training_models STATIC ${cuda_training_sources})
add_library(dformer::cuda_training_models ALIAS dformer_cuda_training_models)
target_link_libraries(dformer_cuda_training_models PUBLIC dformer_cuda_models PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_cuda_training_models INTERFACE DFORMER_PRECOMPILED_CUDA_TRAINING_MODELS)
set_target_properties(dformer_cuda_training_models PROPERTIES EXPORT_NAME cuda_training_models
                                                              POSITION_INDEPENDENT_CODE ON)

dformer_installed(dformer_cuda_targets dformer_cuda dformer_cuda_models)
if(DFORMER_CUDA_TRAINING)
  dformer_installed(dformer_cuda_targets dformer_cuda_training_models)
else()
  set_target_properties(dformer_cuda_training_models PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
