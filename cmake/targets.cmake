# The targets a user links:
#   dformer::dformer   the headers alone; enough for networks, checkpoints and the CPU backend
#   dformer::cpu       the same with the CPU kernels compiled once, instead of in every program
#   dformer::images    adds OpenCV: image pairs in, label maps and pictures out
find_package(Threads REQUIRED)

add_library(dformer INTERFACE)
add_library(dformer::dformer ALIAS dformer)
target_compile_features(dformer INTERFACE cxx_std_20)
target_include_directories(dformer INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                             $<INSTALL_INTERFACE:include>)
target_link_libraries(dformer INTERFACE Threads::Threads)

# What our own programs and tests are compiled with; never forced on a user.
add_library(dformer_warnings INTERFACE)
target_compile_options(dformer_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       $<$<BOOL:${DFORMER_WARNINGS_AS_ERRORS}>:-Werror>)
