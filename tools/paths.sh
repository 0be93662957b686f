# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts here: where the cache of dependencies lies, and what in it is called what.
# shellcheck shell=bash disable=SC2034
deps=${BRAID_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/braid}
pinned_python="CPython 3.11"

# Debian's own Python first: the pinned wheels are built for it.
system_python=/usr/bin/python3
[ -x "$system_python" ] || system_python=python3

python_home() {  # python_home REQUIREMENTS: the virtual environment made from that file
  local hash
  hash=$(sha256sum "$1")
  printf '%s/python-%s\n' "$deps" "${hash:0:16}"
}
