#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Braid builds with: Debian packages by apt, and pinned archives into a cache that all
# presets and clones share (BRAID_DEPS; default: braid/ in the user's cache folder). Idempotent, and
# silent when all is there. Every archive is checked by its SHA-256 before it is unpacked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deps=${BRAID_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/braid}
work=

packages=(build-essential ccache clang-19 clang-format-19 clang-tidy-19 cmake curl libboost1.81-dev
  libclang-rt-19-dev libcli11-dev libedit-dev libeigen3-dev libfmt-dev libgmock-dev libgtest-dev
  libspdlog-dev libsqlite3-dev libssl-dev libyaml-cpp-dev mold ninja-build nlohmann-json3-dev
  pkg-config python3 python3-venv unzip)

duckdb_version=1.5.5
duckdb_npm=@duckdb/node-bindings-linux-x64@1.5.5-r.5
duckdb_npm_file=duckdb-node-bindings-linux-x64-1.5.5-r.5.tgz
duckdb_npm_sha256=86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e
declare -A extension_sha256=(
  [ducklake]=b631ae4dd4bd649b3db35a789dbcc859476fe231ef449b3f03f4fe4e2ef4a946
  [sqlite_scanner]=0af00f8e4e6e0562e0fac1bb22d5c4a29d616a664da4194b51cbd26355b9a0c2)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: error: %s\n' "$1" >&2; printf 'setup: hint: %s\n' "$2" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "client not found: $1" "$2"; }

check_hash() {  # check_hash FILE SHA256
  local seen
  seen=$(sha256sum "$1" | cut -d' ' -f1)
  [ "$seen" = "$2" ] || fail "archive does not match its pinned hash: $(basename "$1") (expected $2, got $seen)" \
    "the registry served another file than the pinned one; do not use it, and check the pin in tools/setup.sh"
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  need apt-get "Braid's set-up is made for Debian 12; on another system install these yourself: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    need sudo "run tools/setup.sh as root once, or install: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

fetch_duckdb() {
  local target=$deps/duckdb-$duckdb_version
  [ -e "$target/.complete" ] && return
  need npm "install Node.js with npm (Debian: apt-get install npm)"
  need cargo "install Rust's cargo (Debian 12: apt-get install cargo-web)"
  python3 -m pip --version >/dev/null 2>&1 || fail "client not found: pip" "install it (Debian: apt-get install python3-pip)"
  say "fetching DuckDB $duckdb_version into $deps"
  mkdir -p "$deps"

  work=$(mktemp -d "$deps/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  local staged=$work/staged extensions
  extensions=$staged/extensions/v$duckdb_version/linux_amd64
  mkdir -p "$staged/lib" "$staged/include" "$staged/licenses" "$extensions"

  (cd "$work" && npm pack --silent "$duckdb_npm" >/dev/null 2>&1) || fail "npm could not fetch $duckdb_npm" "check the network and npm's registry setting"
  check_hash "$work/$duckdb_npm_file" "$duckdb_npm_sha256"
  tar -xzf "$work/$duckdb_npm_file" -C "$work"
  mv "$work/package/libduckdb.so" "$staged/lib/"
  mv "$work/package/LICENSE" "$staged/licenses/duckdb.txt"

  # The crate's checksum is pinned in Cargo.lock, which cargo checks.
  CARGO_HOME=$work/cargo cargo fetch --quiet --locked --manifest-path "$here/duckdb_header/Cargo.toml" ||
    fail "cargo could not fetch libduckdb-sys" "check the network; Debian 12's cargo 1.65 is too old, its package cargo-web works"
  tar -xzf "$work"/cargo/registry/src/*/libduckdb-sys-*/duckdb.tar.gz -C "$work" duckdb/src/include/duckdb.h
  mv "$work/duckdb/src/include/duckdb.h" "$staged/include/"

  local extension wheel
  for extension in "${!extension_sha256[@]}"; do
    wheel=$work/duckdb_extension_$extension-$duckdb_version-py3-none-manylinux2014_x86_64.whl
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --platform manylinux2014_x86_64 \
      -d "$work" "duckdb-extension-${extension//_/-}==$duckdb_version" ||
      fail "pip could not fetch duckdb-extension-$extension" "check the network and pip's index setting"
    check_hash "$wheel" "${extension_sha256[$extension]}"
    unzip -q -o -j "$wheel" "*/$extension.duckdb_extension" -d "$extensions"
  done
  touch "$staged/.complete"
  rm -rf "$target"
  mv "$staged" "$target"
}

install_packages
fetch_duckdb
