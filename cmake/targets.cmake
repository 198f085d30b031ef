# The targets a user links:
#   dformer::dformer   the headers alone; enough for networks, checkpoints and the CPU backend
#   dformer::cpu       the same with the CPU kernels and the checkpoint readers compiled once, instead of in every program
#   dformer::images    adds OpenCV: image pairs in, label maps and pictures out
include(GNUInstallDirs)
include(${CMAKE_CURRENT_LIST_DIR}/development_flags.cmake)

if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
   OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
  message(FATAL_ERROR "dformer needs g++ 12, clang 14 or later; this is ${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}. Ubuntu 22.04: install g++-12 and configure a new build folder "
                      "with -DCMAKE_CXX_COMPILER=g++-12")
endif()

find_package(Threads REQUIRED)

# dformer_installed(EXPORT TARGET …): static libraries that are installed under an export; where nothing is installed, they are
# built for what links them alone.
function(dformer_installed export)
  foreach(target IN LISTS ARGN)
    if(DFORMER_INSTALL)
      install(TARGETS ${target} EXPORT ${export} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    else()
      set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endforeach()
endfunction()

add_library(dformer INTERFACE)
add_library(dformer::dformer ALIAS dformer)
target_compile_features(dformer INTERFACE cxx_std_20)
target_include_directories(dformer INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(dformer INTERFACE Threads::Threads $<BUILD_INTERFACE:dformer_sanitizers>)

set(DFORMER_HAS_ZLIB OFF)
if(DFORMER_WITH_ZLIB)
  find_package(ZLIB QUIET)
  set(DFORMER_HAS_ZLIB ${ZLIB_FOUND})
endif()
if(DFORMER_HAS_ZLIB)
  target_link_libraries(dformer INTERFACE ZLIB::ZLIB)
  target_compile_definitions(dformer INTERFACE DFORMER_HAS_ZLIB)
endif()

# Two generated sources for each element type: the kernel headers, told to instantiate.
foreach(scalar float double)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/kernels_${scalar}.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "#define DFORMER_KERNELS_FOR ${scalar}
#include <dformer/backend/cpu/kernels/kernels.hpp>
")
  set(gradients ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/gradient_kernels_${scalar}.cpp)
  file(GENERATE OUTPUT ${gradients} CONTENT "#define DFORMER_KERNELS_FOR ${scalar}
#define DFORMER_GRADIENT_KERNELS
#include <dformer/backend/cpu/kernels/gradients/kernels.hpp>
")
  list(APPEND kernel_sources ${source} ${gradients})
endforeach()
set(readers_source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/checkpoint_readers.cpp)
file(GENERATE OUTPUT ${readers_source} CONTENT "#define DFORMER_COMPILE_READERS
#include <dformer/io/read_contents.hpp>
")
add_library(dformer_cpu STATIC ${kernel_sources} ${readers_source})
add_library(dformer::cpu ALIAS dformer_cpu)
set_target_properties(dformer_cpu PROPERTIES EXPORT_NAME cpu POSITION_INDEPENDENT_CODE ON)
target_link_libraries(dformer_cpu PUBLIC dformer PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_cpu INTERFACE DFORMER_PRECOMPILED)
# Without the optimiser every vector operation is a call; a debug build of a program should still run its network.
target_compile_options(dformer_cpu PRIVATE $<$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:-O2>)
# The kernels need IEEE arithmetic, whatever the program around them is compiled with; options of a target come last.
target_compile_options(dformer_cpu PRIVATE -fno-fast-math)
if(NOT DFORMER_INSTALL)
  set_target_properties(dformer_cpu PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

# Installed wherever it was built: whether OpenCV is there is asked again where the package is used.
add_library(dformer_images INTERFACE)
set_target_properties(dformer_images PROPERTIES EXPORT_NAME images)
target_link_libraries(dformer_images INTERFACE dformer opencv_core opencv_imgproc opencv_imgcodecs)
if(DFORMER_WITH_OPENCV)
  find_package(OpenCV QUIET COMPONENTS core imgproc imgcodecs)
endif()
if(DFORMER_WITH_OPENCV AND OpenCV_FOUND)
  add_library(dformer::images ALIAS dformer_images)
else()
  message(STATUS "dformer: without OpenCV (core, imgproc, imgcodecs), so no dformer::images, and none of the tests and "
                 "programs that read images are built. Debian and Ubuntu: libopencv-dev")
endif()
