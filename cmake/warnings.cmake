# penstock_options is linked by every target whose code is ours; generated code
# is compiled without it.
add_library(penstock_options INTERFACE)
target_include_directories(penstock_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(penstock_options INTERFACE
  -Wall -Wextra -Wshadow -Woverloaded-virtual
  # Designated initialisers leave the rest at its default on purpose.
  -Wno-missing-field-initializers)
# protobuf asks for it of who links it: precompiled headers want it of all or of none.
target_compile_options(penstock_options INTERFACE -pthread)
if(PENSTOCK_WERROR)
  target_compile_options(penstock_options INTERFACE -Werror)
endif()

if(PENSTOCK_SANITIZE)
  add_compile_options(-fsanitize=${PENSTOCK_SANITIZE} -fno-omit-frame-pointer)
  # An undefined behaviour report fails the test that caused it.
  if(PENSTOCK_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
  # GCC 12 takes what the sanitizers add to <regex> for reads of something uninitialised.
  target_compile_options(penstock_options INTERFACE -Wno-maybe-uninitialized)
endif()
