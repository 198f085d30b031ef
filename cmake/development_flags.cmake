# What our own programs and tests are compiled with; never forced on a user. g++ 12 takes parts of an empty std::optional
# for uninitialised once it has inlined enough, so that this warning is never an error. nvcc would not know most of these.
add_library(dformer_warnings INTERFACE)
target_compile_options(dformer_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
                       $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${DFORMER_WARNINGS_AS_ERRORS}>>:-Werror>
                       $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-error=maybe-uninitialized>)
# g++ 12 sees overlapping copies in every `"text" + std::string` that it inlines (gcc bug 105651, mended in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(dformer_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

# All parts of a program must agree on these, so that everything that links dformer in this build is given them.
add_library(dformer_sanitizers INTERFACE)
if(DFORMER_SANITIZE)
  target_compile_options(dformer_sanitizers INTERFACE
                         "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${DFORMER_SANITIZE};-fno-sanitize-recover=all>"
                         $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  target_link_options(dformer_sanitizers INTERFACE -fsanitize=${DFORMER_SANITIZE})
endif()
