# Headers that most sources of a target read are read once and kept: half of the time of a build
# goes into reading the same ones again. A source includes what it uses all the same:
# scripts/lint reads each without them.
option(PENSTOCK_PRECOMPILE "Precompile the headers that most sources read" ON)

file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cc
  CONTENT "// It has its precompiled headers only.\n" @ONLY)

set(PENSTOCK_STANDARD_HEADERS
  <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <functional> <map> <memory>
  <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector>
  <absl/status/status.h> <absl/status/statusor.h>)

# penstock_precompiled(name HEADERS header... LIBS target... [PIC])
#
# Declares headers for penstock_precompile, beside those above: LIBS are what they need.
function(penstock_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PIC" "" "HEADERS;LIBS")
  if(NOT PENSTOCK_PRECOMPILE)
    return()
  endif()
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_link_libraries(${name} PRIVATE penstock_options absl::status absl::statusor ${arg_LIBS})
  target_precompile_headers(${name} PRIVATE ${PENSTOCK_STANDARD_HEADERS} ${arg_HEADERS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE "${arg_PIC}")
endfunction()

# penstock_precompile(target name): the target's sources read the headers of `name`. The compiler
# takes them only for sources that are compiled in the same way, so that the target links what the
# headers do.
function(penstock_precompile target name)
  if(NOT PENSTOCK_PRECOMPILE)
    return()
  endif()
  get_target_property(libraries ${name} LINK_LIBRARIES)
  target_link_libraries(${target} PRIVATE ${libraries})
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()
