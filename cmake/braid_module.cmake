# SPDX-License-Identifier: Apache-2.0
# braid_module(NAME SOURCES … HEADERS … [TESTS …] [DEPS module …] [LIBRARIES target …])
# A module is a static library braid::NAME whose headers are included as "NAME/file.h" and must each
# stand alone (VERIFY_INTERFACE_HEADER_SETS). DEPS are Braid's modules, LIBRARIES third parties (kept
# private). TESTS become one GTest executable NAME_test, each of its cases one ctest.
include(GoogleTest)

set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ${BRAID_VERIFY_HEADERS})

function(braid_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;TESTS;DEPS;LIBRARIES" ${ARGN})
  list(TRANSFORM arg_DEPS PREPEND braid::)
  add_library(braid_${name} STATIC ${arg_SOURCES})
  add_library(braid::${name} ALIAS braid_${name})
  target_sources(braid_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_link_libraries(braid_${name} PUBLIC ${arg_DEPS} PRIVATE braid_warnings ${arg_LIBRARIES})
  # By a name without a folder, so that ccache knows it again in another clone.
  target_include_directories(braid_${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake)
  target_precompile_headers(braid_${name} PRIVATE <precompiled.h>)
  if(arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE braid::${name} braid_warnings ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_test REUSE_FROM braid_${name})
    # ccache makes __FILE__, by which tests find their data, relative to the folder that is compiled in.
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${CMAKE_BINARY_DIR} PROPERTIES TIMEOUT 120)
  endif()
endfunction()
