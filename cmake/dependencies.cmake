# SPDX-License-Identifier: Apache-2.0
# Third parties: Debian's by find_package, the pinned ones from the cache that tools/setup.sh fills.
if(DEFINED ENV{BRAID_DEPS})
  set(BRAID_DEPS $ENV{BRAID_DEPS})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(BRAID_DEPS $ENV{XDG_CACHE_HOME}/braid)
else()
  set(BRAID_DEPS $ENV{HOME}/.cache/braid)
endif()
set(BRAID_DUCKDB ${BRAID_DEPS}/duckdb-1.5.5)
set(BRAID_ONNXRUNTIME ${BRAID_DEPS}/onnxruntime-1.32.0)
foreach(folder ${BRAID_DUCKDB} ${BRAID_ONNXRUNTIME})
  if(NOT EXISTS ${folder}/.complete)
    message(FATAL_ERROR "Not there: ${folder}; run tools/setup.sh first (make does it)")
  endif()
endforeach()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(GTest REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libedit REQUIRED IMPORTED_TARGET libedit)

# Debian's package config needs the command line tool as well, so the library is looked for by name.
find_library(xgboost_library xgboost REQUIRED)
find_path(xgboost_headers xgboost/c_api.h REQUIRED)
add_library(xgboost SHARED IMPORTED)
set_target_properties(xgboost PROPERTIES
  IMPORTED_LOCATION ${xgboost_library}
  INTERFACE_INCLUDE_DIRECTORIES ${xgboost_headers})

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${BRAID_DUCKDB}/lib/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${BRAID_DUCKDB}/include)

add_library(onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime PROPERTIES
  IMPORTED_LOCATION ${BRAID_ONNXRUNTIME}/lib/libonnxruntime.so.1
  INTERFACE_INCLUDE_DIRECTORIES ${BRAID_ONNXRUNTIME}/include)

option(BRAID_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(BRAID_VERIFY_HEADERS "Compile every header on its own" OFF)
set(BRAID_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_BUILD_RPATH_USE_ORIGIN OFF)

# Ours alone: third-party headers come in as SYSTEM and keep their own warnings.
add_library(braid_warnings INTERFACE)
target_compile_options(braid_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror
  # Designated initialisers leave out what has a default.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overflows inside std::string's own code that cannot happen (GCC bug 105329).
  target_compile_options(braid_warnings INTERFACE -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
  if(BRAID_SANITIZE)
    # With a sanitizer's checks in between, GCC no longer sees that std::variant is set (GCC bug 80635).
    # Likewise of -O1 and the ends of short strings; Boost's fences are known to ThreadSanitizer by the atomics around them.
    target_compile_options(braid_warnings INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overread)
    if(BRAID_SANITIZE MATCHES thread)
      target_compile_options(braid_warnings INTERFACE -Wno-tsan)
    endif()
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort calls what it marks as deprecated.
  target_compile_options(braid_warnings INTERFACE -Wthread-safety -Wno-deprecated-declarations)
endif()
target_link_libraries(braid_warnings INTERFACE fmt::fmt Threads::Threads)
if(BRAID_SANITIZE)
  # -O1: at -O2 the checks double what GCC needs for our templates and make the tests little faster.
  target_compile_options(braid_warnings INTERFACE -fsanitize=${BRAID_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  target_compile_definitions(braid_warnings INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(braid_warnings INTERFACE -fsanitize=${BRAID_SANITIZE})
endif()
find_program(mold_program mold)
if(mold_program)
  target_link_options(braid_warnings INTERFACE -fuse-ld=mold)
endif()
