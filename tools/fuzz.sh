#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays the corpus of each fuzzer of a fuzz build, then runs it for FUZZ_SECONDS (60):
#   tools/fuzz.sh build/fuzz [fuzzer …]
# A fuzzer is an executable bin/<name>_fuzz; its corpus lies in fuzz/corpus/<name>. New inputs stay in
# the build folder, as do those that crash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$1
shift
seconds=${FUZZ_SECONDS:-60}

fuzzers=("$@")
if [ ${#fuzzers[@]} -eq 0 ]; then
  for file in "$build"/bin/*_fuzz; do
    [ -x "$file" ] && fuzzers+=("$(basename "$file" _fuzz)")
  done
fi
[ ${#fuzzers[@]} -gt 0 ] || {
  echo "fuzz: error: no fuzzers in $build/bin" >&2
  exit 1
}

failed=()
for name in "${fuzzers[@]}"; do
  found=$build/fuzzing/$name
  corpus=fuzz/corpus/$name
  mkdir -p "$found/new" "$found/crashes"
  [ -d "$corpus" ] || {
    echo "fuzz: error: $name has no corpus: $corpus" >&2
    exit 1
  }
  echo "fuzz: $name: corpus, then $seconds s" >&2
  # The first folder takes new inputs; the log is shown only when something is found.
  if ! "$build/bin/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/crashes/" "$found/new" "$corpus" >"$found/log" 2>&1; then
    tail -n 40 "$found/log" >&2
    failed+=("$name")
  fi
done
[ ${#failed[@]} -eq 0 ] || {
  echo "fuzz: failed: ${failed[*]} (inputs: $build/fuzzing/<name>/crashes)" >&2
  exit 1
}
