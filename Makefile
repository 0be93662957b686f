# SPDX-License-Identifier: Apache-2.0
# The few commands one needs; `make help` lists them. CMake's presets do the work.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
BENCH_SCALE ?= full
CACHE_HOME := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)

# The precompiled headers are safe to cache with these; without them ccache refuses every file.
export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime
# All clones share what they compile.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
export CCACHE_DIR ?= $(CACHE_HOME)/ccache
export BRAID_DEPS ?= $(CACHE_HOME)/braid
export CTEST_PARALLEL_LEVEL ?= $(JOBS)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)

.DEFAULT_GOAL := all
.NOTPARALLEL:
.PHONY: all setup build demo demo-churn test bench bench-ml check check-all asan tsan tidy fuzz format clean help

all: build ## set up what is missing, then build build/release/bin/braid

setup: ## install packages and fetch pinned dependencies (silent when complete)
	@tools/setup.sh

build: setup
	@cmake --preset release --log-level=NOTICE
	@cmake --build --preset release -j $(JOBS)

demo: build ## run the flights example from an empty folder
	@examples/flights/demo.sh

demo-churn: build ## run the churn example: who comes back, and whom to mail
	@examples/churn/demo.sh

test: build ## build everything and run all tests
	@ctest --preset release -j $(JOBS)

bench: build ## run the benchmarks (installs what they compare with)
	@tools/setup.sh --bench
	@benchmarks/run.sh

bench-ml: build ## run the benchmarks of models (half an hour; BENCH_SCALE=medium or small: less)
	@tools/setup.sh --bench
	@benchmarks/run.sh ml --scale $(BENCH_SCALE)

check: setup ## what needs no build: format, layers, style, requirements, error page
	@tools/check.sh

check-all: check asan tsan tidy fuzz ## also sanitizers, clang-tidy, and each fuzzer for FUZZ_SECONDS (60)

asan tsan: setup ## all tests under AddressSanitizer and UBSan; under ThreadSanitizer
	@cmake --workflow --preset $@

tidy: setup ## build with clang and its thread-safety analysis, then clang-tidy
	@cmake --preset clang --log-level=NOTICE
	@cmake --build --preset clang -j $(JOBS)
	@tools/tidy.sh build/clang

fuzz: setup ## replay each fuzzer's corpus, then let it run for FUZZ_SECONDS (60)
	@cmake --preset fuzz --log-level=NOTICE
	@cmake --build --preset fuzz -j $(JOBS) --target fuzzers
	@tools/fuzz.sh build/fuzz

format: ## rewrite all tracked .h and .cc files in the house format
	@tools/check_format.sh --fix

clean: ## remove build/ (the caches of dependencies and of ccache stay)
	rm -rf build

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z -]+:[^=]*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
