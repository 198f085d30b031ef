#   dformer::models    the published networks, compiled once: make_segmenter for Cpu<> and Count. A program that links it
#                      may name any variant at run time and compiles none of them.
set(models DFormer_Tiny DFormer_Small DFormer_Base DFormer_Large DFormerv2_S DFormerv2_B DFormerv2_L)
set(model_sources)
# One generated source for each variant; its two numbers of classes share a backbone, so they share the source.
foreach(model IN LISTS models)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/model_${model}.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "#include <dformer/backend/count/count.hpp>
#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/models/zoo.hpp>

namespace dformer::detail {
template SegmenterPointer<Cpu<>> make_variant<Cpu<>, ${model}>(std::string_view, int);
template SegmenterPointer<Count> make_variant<Count, ${model}>(std::string_view, int);
}  // namespace dformer::detail
")
  list(APPEND model_sources ${source})
endforeach()

add_library(dformer_models STATIC ${model_sources})
add_library(dformer::models ALIAS dformer_models)
set_target_properties(dformer_models PROPERTIES EXPORT_NAME models POSITION_INDEPENDENT_CODE ON)
target_link_libraries(dformer_models PUBLIC dformer_cpu PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_models INTERFACE DFORMER_PRECOMPILED_MODELS)

if(DFORMER_INSTALL)
  install(TARGETS dformer_models EXPORT dformer_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
else()
  set_target_properties(dformer_models PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
