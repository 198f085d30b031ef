#   dformer::models    the published networks, compiled once: make_segmenter for Cpu<> and Count. A program that links it
#                      may name any variant at run time and compiles none of them.
#   dformer::training_models
#                      the same networks as they train, Autodiff<Cpu<>>; a program that only infers does without

# dformer_model_sources(VARIABLE NAME BACKEND HEADER…): generates two sources that compile make_segmenter<BACKEND>. All
# variants of one backend share most of what they instantiate, so more sources would cost more time in sum.
function(dformer_model_sources variable name backend)
  set(prefix ${CMAKE_CURRENT_BINARY_DIR}/${CMAKE_FILES_DIRECTORY}/${name})
  set(definitions)
  foreach(model DFormerv2_S DFormerv2_B DFormerv2_L)
    string(APPEND definitions "template SegmenterPointer<${backend}> "
                              "detail::make_variant<${backend}, ${model}>(std::string_view, int, OfficialDataset);\n")
  endforeach()
  string(REPLACE "template " "extern template " declarations "${definitions}")
  string(APPEND declarations
         "template SegmenterPointer<${backend}> make_segmenter(std::string_view, int, OfficialDataset);\n")
  set(begin "#include <dformer/models/zoo.hpp>\n\nnamespace dformer {\n")
  foreach(header IN LISTS ARGN)
    string(PREPEND begin "#include <${header}>\n")
  endforeach()
  set(end "}  // namespace dformer\n")
  file(GENERATE OUTPUT ${prefix}_DFormer.cpp CONTENT "${begin}${declarations}${end}")
  file(GENERATE OUTPUT ${prefix}_DFormerv2.cpp CONTENT "${begin}${definitions}${end}")
  set(${variable} ${prefix}_DFormer.cpp ${prefix}_DFormerv2.cpp PARENT_SCOPE)
endfunction()

dformer_model_sources(cpu_sources models_cpu "Cpu<>" dformer/backend/cpu/cpu.hpp)
dformer_model_sources(count_sources models_count Count dformer/backend/count/count.hpp)
add_library(dformer_models STATIC ${cpu_sources} ${count_sources})
add_library(dformer::models ALIAS dformer_models)
set_target_properties(dformer_models PROPERTIES EXPORT_NAME models POSITION_INDEPENDENT_CODE ON)
target_link_libraries(dformer_models PUBLIC dformer_cpu PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_models INTERFACE DFORMER_PRECOMPILED_MODELS)

dformer_model_sources(training_sources models_training "Autodiff<Cpu<>>" dformer/backend/autodiff/autodiff.hpp
                      dformer/backend/cpu/gradients/gradients.hpp)
add_library(dformer_training_models STATIC ${training_sources})
add_library(dformer::training_models ALIAS dformer_training_models)
set_target_properties(dformer_training_models PROPERTIES EXPORT_NAME training_models POSITION_INDEPENDENT_CODE ON)
target_link_libraries(dformer_training_models PUBLIC dformer_models PRIVATE $<BUILD_INTERFACE:dformer_warnings>)
target_compile_definitions(dformer_training_models INTERFACE DFORMER_PRECOMPILED_TRAINING_MODELS)

dformer_installed(dformer_targets dformer_models dformer_training_models)
