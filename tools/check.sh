#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All checks that need no build: layers, house style, error page, requirements, format. Each checker
# first tests itself. Runs all of them, then fails if one did.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()
step() {  # step NAME COMMAND…
  local name=$1
  shift
  "$@" || failed+=("$name")
}

export PYTHONDONTWRITEBYTECODE=1
for checker in check_layers check_style check_requirements generate_errors; do
  step "$checker's self-test" python3 "tools/$checker.py" --self-test
done
step layers python3 tools/check_layers.py
step style python3 tools/check_style.py
step errors python3 tools/generate_errors.py --check
step requirements python3 tools/check_requirements.py
step format tools/check_format.sh

if [ ${#failed[@]} -gt 0 ]; then
  (IFS=,; printf 'check: failed: %s\n' "${failed[*]}" >&2)
  exit 1
fi
echo "check: layers, style, errors, requirements and format are in order" >&2
