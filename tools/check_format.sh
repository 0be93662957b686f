#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says which tracked .h and .cc files clang-format would change; --fix changes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v clang-format-19 >/dev/null || {
  echo "format: error: clang-format-19 not found; run tools/setup.sh" >&2
  exit 1
}

# Calls the given command with every file's name.
each_file() {
  git ls-files -z -- '*.h' '*.cc' | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done | xargs -0 -r -P "$(nproc)" -n 1 "$@"
}

if [ "${1:-}" = --fix ]; then
  each_file clang-format-19 -i
  exit
fi
differing=$(each_file bash -c 'clang-format-19 --dry-run -Werror "$0" 2>/dev/null || echo "$0"')
[ -z "$differing" ] && exit 0
sort <<<"$differing" | sed 's/^/format: differs from .clang-format: /' >&2
echo "format: hint: tools/check_format.sh --fix" >&2
exit 1
