# Conveniences of a build of dformer itself, which a parent project decides for its own: the build type where none is
# named, standard C++ without the compiler's extensions to it, where installed programs look for libraries that are not in the
# system's folders, and the compiler cache where there is one.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

find_program(DFORMER_CCACHE ccache DOC "Compiler cache; empty for none")
mark_as_advanced(DFORMER_CCACHE)
if(DFORMER_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DFORMER_CCACHE})
endif()
if(DFORMER_CCACHE AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${DFORMER_CCACHE})
endif()
