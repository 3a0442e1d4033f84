# The component `client`: everything that a program needs to use the library, and nothing else.
#
#   cmake --install build --component client --prefix /usr/local
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/penstockConfig.cmake.in penstockConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/penstock
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/penstockConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

# The prefix is computed from the location of the .pc file, so that the tree can be moved.
file(RELATIVE_PATH PENSTOCK_PC_TO_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/penstock.pc.in penstock.pc @ONLY)

install(TARGETS penstock_client penstock_wire
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT client)
install(DIRECTORY include/penstock
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/penstockConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/penstockConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/penstock COMPONENT client)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/penstock.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)
# The protos, for generating stubs in other languages.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/proto/penstock
  DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock/proto COMPONENT client
  FILES_MATCHING PATTERN "*.proto")
# The examples, which `cmake -S …/examples -B build` builds.
install(DIRECTORY examples/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock/examples COMPONENT client
  PATTERN CMakeLists.txt EXCLUDE
  PATTERN installed EXCLUDE)
install(FILES examples/installed/CMakeLists.txt
  DESTINATION ${CMAKE_INSTALL_DATADIR}/penstock/examples COMPONENT client)
