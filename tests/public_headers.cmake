# dformer_public_headers(VARIABLE): every public header of this build, as a program would include it. Those of the
# folders that know OpenCV take part where it was found.
function(dformer_public_headers variable)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
       ${PROJECT_SOURCE_DIR}/include/dformer/*.hpp)
  list(REMOVE_ITEM headers dformer/cuda.hpp)  # wants dformer::cuda linked; tests/cuda includes it
  if(NOT TARGET dformer::images)
    list(FILTER headers EXCLUDE REGEX "^dformer/(data|eval|viz)/|^dformer/(dformer|train)\\.hpp$")
    list(FILTER headers EXCLUDE REGEX "^dformer/train/(trainer|fit|recipe.*|official_recipes)\\.hpp$")
  endif()
  set(${variable} ${headers} PARENT_SCOPE)
endfunction()
