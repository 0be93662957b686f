#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmarks one after the other; each prints its figures beside its peer's. Only a wrong answer fails one.
#   benchmarks/run.sh [NAME…] [--scale medium|small]
# The name ml stands for all that measure models.
# BRAID names another program than build/release/bin/braid.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
ml=(linear linear_memory many_models logistic trees predict kmeans components recommend)
all=("${ml[@]}" noop startup service)

fail() { printf 'bench: error: %s\n' "$1" >&2; printf 'bench: hint: %s\n' "$2" >&2; exit 2; }

names=()
scale=full
while [ $# -gt 0 ]; do
  case "$1" in
    --scale) scale=${2:-}; shift ;;
    -*) fail "unknown option: $1" "benchmarks/run.sh [NAME…] [--scale medium|small]" ;;
    ml) names+=("${ml[@]}") ;;
    *) names+=("$1") ;;
  esac
  shift
done
[[ $scale == full || $scale == medium || $scale == small ]] || fail "unknown scale: $scale" "full (the default), medium or small"
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")
for name in "${names[@]}"; do
  [[ " ${all[*]} " == *" $name "* ]] || fail "no such benchmark: $name" "one of: ${all[*]}"
done

export BRAID=${BRAID:-$root/build/release/bin/braid}
[ -x "$BRAID" ] || fail "no program: $BRAID" "build it with make, or set BRAID"

# On the disk of the checkout: /tmp may be memory, where a sync costs nothing.
mkdir -p "$root/build"
BENCH_SCRATCH=$(mktemp -d "$root/build/bench.XXXXXX")
export BENCH_SCRATCH PYTHONDONTWRITEBYTECODE=1 BENCH_SCALE=$scale
trap 'rm -rf "$BENCH_SCRATCH"' EXIT

wrong=()
for name in "${names[@]}"; do
  "$root/tools/python" --bench "$here/$name.py" || wrong+=("$name")
done
[ ${#wrong[@]} -eq 0 ] || { printf 'bench: failed: %s\n' "${wrong[*]}" >&2; exit 1; }
