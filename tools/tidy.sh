#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy (.clang-tidy says which checks, and why) over src/ as a built clang preset compiles it:
#   tools/tidy.sh build/clang [path pattern]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -f "$1/compile_commands.json" ] || {
  echo "tidy: error: not configured: $1 (cmake --preset clang)" >&2
  exit 1
}
# run-clang-tidy prints each command; what matters are the findings.
run-clang-tidy-19 -quiet -j "$(nproc)" -p "$1" "${2:-$PWD/src/.*\.cc$}" 2>/dev/null |
  { grep -vE '^\[ *[0-9]+/[0-9]+\]|clang-tidy-19 |^$' || true; }
