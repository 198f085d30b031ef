# The installed package: find_package(dformer 0.1 COMPONENTS images). Relocatable: it names other packages, no paths.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dformer)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/dformer DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inl" PATTERN "*.cuh")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(TARGETS dformer dformer_cpu EXPORT dformer_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT dformer_targets NAMESPACE dformer:: FILE dformer-targets.cmake DESTINATION ${package_dir})
install(TARGETS dformer_images EXPORT dformer_images_targets)
install(EXPORT dformer_images_targets NAMESPACE dformer:: FILE dformer-images-targets.cmake
        DESTINATION ${package_dir})
if(TARGET dformer_cuda)
  install(EXPORT dformer_cuda_targets NAMESPACE dformer:: FILE dformer-cuda-targets.cmake DESTINATION ${package_dir})
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/FindCUDNN.cmake DESTINATION ${package_dir})
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dformer-config.cmake.in dformer-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(dformer-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dformer-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/dformer-config-version.cmake
        DESTINATION ${package_dir})
