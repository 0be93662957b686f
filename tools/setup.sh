#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Braid builds with: Debian packages by apt, and pinned archives into a cache that all
# presets and clones share (BRAID_DEPS; default: braid/ in the user's cache folder). Idempotent, and
# silent when all is there. Every archive is checked by its SHA-256 before it is unpacked.
#   tools/setup.sh           what building and testing need
#   tools/setup.sh --bench   what the benchmarks need besides
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/paths.sh
. "$here/paths.sh"
work=
as_root=()

packages=(build-essential ca-certificates ccache clang-19 clang-format-19 clang-tidy-19 cmake curl
  libboost1.81-dev libclang-rt-19-dev libcli11-dev libcurl4-openssl-dev libedit-dev libeigen3-dev libfmt-dev libgmock-dev
  libgtest-dev libspdlog-dev libsqlite3-dev libssl-dev libxgboost-dev libyaml-cpp-dev mold ninja-build
  nlohmann-json3-dev pkg-config python3 python3-venv unzip)

duckdb_version=1.5.5
duckdb_npm=@duckdb/node-bindings-linux-x64@1.5.5-r.5
duckdb_npm_file=duckdb-node-bindings-linux-x64-1.5.5-r.5.tgz
duckdb_npm_sha256=86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e
lifetimes_version=0.11.3
lifetimes_sha256=261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8
declare -A extension_sha256=(
  [ducklake]=b631ae4dd4bd649b3db35a789dbcc859476fe231ef449b3f03f4fe4e2ef4a946
  [sqlite_scanner]=0af00f8e4e6e0562e0fac1bb22d5c4a29d616a664da4194b51cbd26355b9a0c2)

onnxruntime_version=1.32.0
onnxruntime_wheel=onnxruntime-1.32.0-cp312-cp312-manylinux_2_28_x86_64.whl
onnxruntime_sha256=99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8
# Its header: the wheel has none. Of a newer Debian than the system's, unpacked and not installed; a
# header that is older than the library is what its makers promise to support.
onnxruntime_header_suite=trixie
onnxruntime_header_sha256=14f7d959d5deacbcf1504830d4189f91fc67382b399ed9ae9d3aa9c4050ced08

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: error: %s\n' "$1" >&2; printf 'setup: hint: %s\n' "$2" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "client not found: $1" "$2"; }

check_hash() {  # check_hash FILE SHA256
  local seen
  [ -f "$1" ] || fail "archive did not arrive: $(basename "$1")" \
    "the registry names it otherwise than the pin; check the pin in tools/setup.sh"
  seen=$(sha256sum "$1" | cut -d' ' -f1)
  [ "$seen" = "$2" ] || fail "archive does not match its pinned hash: $(basename "$1") (expected $2, got $seen)" \
    "the registry served another file than the pinned one; do not use it, and check the pin in tools/setup.sh"
}

check_machine() {
  local machine
  machine=$(uname -sm)
  [ "$machine" = "Linux x86_64" ] || fail "no pinned archives for this machine: $machine" "Braid builds on Linux x86_64"
}

become_root() {  # become_root PACKAGE…
  need apt-get "Braid's set-up is made for Debian 12; on another system install these yourself: $*"
  [ "$(id -u)" -eq 0 ] && return
  need sudo "run tools/setup.sh as root once, or install: $*"
  as_root=(sudo)
}

apt_install() {  # apt_install PACKAGE…
  become_root "$@"
  say "installing $# Debian packages"
  "${as_root[@]}" apt-get update -qq || fail "apt-get update failed" "check the network and /etc/apt/sources.list*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "apt-get could not install: $*" "Braid's set-up is made for Debian 12 (bookworm) with its main archive enabled"
}

install_packages() {
  local missing
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
      sed -n 's/^installed //p' | sort))
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

has_cargo() {  # the registry's index needs cargo 1.68 or newer
  local version
  version=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
  [ -n "$version" ] && [ "$version" -ge 68 ]
}

# The registries' clients are needed only to fill the cache, so they are looked for only then.
install_clients() {
  local missing=()
  command -v npm >/dev/null || missing+=(npm)
  has_cargo || missing+=(cargo-web)
  "$system_python" -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
  hash -r
  need npm "install Node.js with npm (Debian: apt-get install npm)"
  need cargo "install Rust's cargo 1.68 or newer (Debian 12: apt-get install cargo-web)"
  has_cargo || fail "cargo is too old: $(cargo --version)" \
    "1.68 or newer is needed (Debian 12: apt-get install cargo-web); put it before the old one in PATH"
  "$system_python" -m pip --version >/dev/null 2>&1 ||
    fail "client not found: pip" "install it (Debian: apt-get install python3-pip)"
}

# One set-up at a time fills the cache; a half-filled folder never gets its final name.
begin_fetch() {
  mkdir -p "$deps"
  exec 9>"$deps/.lock"
  flock 9
  work=$(mktemp -d "$deps/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
}

end_fetch() {
  rm -rf "$work"
  trap - EXIT
  exec 9>&-
}

fetch_library() {  # fetch_library STAGED
  (cd "$work" && npm pack --silent "$duckdb_npm" >/dev/null 2>"$work/npm.log") ||
    fail "npm could not fetch $duckdb_npm: $(tail -n 1 "$work/npm.log")" "check the network and npm's registry setting"
  check_hash "$work/$duckdb_npm_file" "$duckdb_npm_sha256"
  tar -xzf "$work/$duckdb_npm_file" -C "$work"
  mv "$work/package/libduckdb.so" "$1/lib/"
  mv "$work/package/LICENSE" "$1/licenses/duckdb.txt"
}

fetch_header() {  # fetch_header STAGED; the crate's checksum is pinned in Cargo.lock, which cargo checks
  CARGO_HOME=$work/cargo cargo fetch --quiet --locked --manifest-path "$here/duckdb_header/Cargo.toml" ||
    fail "cargo could not fetch libduckdb-sys" "check the network and cargo's registry setting"
  tar -xzf "$work"/cargo/registry/src/*/libduckdb-sys-*/duckdb.tar.gz -C "$work" duckdb/src/include/duckdb.h
  mv "$work/duckdb/src/include/duckdb.h" "$1/include/"
}

fetch_extension() {  # fetch_extension NAME FOLDER
  local wheel=$work/duckdb_extension_$1-$duckdb_version-py3-none-manylinux2014_x86_64.whl
  "$system_python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform manylinux2014_x86_64 -d "$work" "duckdb-extension-${1//_/-}==$duckdb_version" ||
    fail "pip could not fetch duckdb-extension-${1//_/-}" "check the network and pip's index setting"
  check_hash "$wheel" "${extension_sha256[$1]}"
  unzip -q -o -j "$wheel" "*/$1.duckdb_extension" -d "$2"
}

fetch_duckdb() {
  local target=$deps/duckdb-$duckdb_version
  [ -e "$target/.complete" ] && return
  install_clients
  begin_fetch
  if [ ! -e "$target/.complete" ]; then
    say "fetching DuckDB $duckdb_version into $deps"
    local staged=$work/staged extension extensions
    extensions=$staged/extensions/v$duckdb_version/linux_amd64
    mkdir -p "$staged/lib" "$staged/include" "$staged/licenses" "$extensions"
    fetch_library "$staged"
    fetch_header "$staged"
    for extension in "${!extension_sha256[@]}"; do fetch_extension "$extension" "$extensions"; done
    touch "$staged/.complete"
    rm -rf "$target"
    mv "$staged" "$target"
  fi
  end_fetch
}

fetch_onnxruntime_header() {  # fetch_onnxruntime_header STAGED; by apt with lists of its own, from the system's mirror
  local mirror lists=$work/apt options
  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' \
    /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -n 1) || true
  [ -n "$mirror" ] || fail "apt names no mirror" "Braid's set-up is made for Debian 12 with its main archive enabled"
  mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial" "$lists/sources"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$mirror" "$onnxruntime_header_suite" >"$lists/sources/header.sources"
  options=(-qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$lists/sources" -o Dir::State::lists="$lists/lists"
    -o Dir::Cache="$lists/cache" -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
  (cd "$lists" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libonnxruntime-dev) >/dev/null 2>"$work/apt.log" ||
    fail "apt could not fetch libonnxruntime-dev of $onnxruntime_header_suite: $(tail -n 1 "$work/apt.log")" \
      "check the network and /etc/apt/sources.list*"
  mv "$lists"/libonnxruntime-dev_*.deb "$work/header.deb"
  check_hash "$work/header.deb" "$onnxruntime_header_sha256"
  dpkg-deb -x "$work/header.deb" "$work/header"
  mv "$work"/header/usr/include/onnxruntime/onnxruntime_c_api.h "$1/include/"
}

fetch_onnxruntime() {
  local target=$deps/onnxruntime-$onnxruntime_version staged
  [ -e "$target/.complete" ] && return
  install_clients
  begin_fetch
  if [ ! -e "$target/.complete" ]; then
    say "fetching ONNX Runtime $onnxruntime_version into $deps"
    staged=$work/staged
    mkdir -p "$staged/lib" "$staged/include" "$staged/licenses"
    "$system_python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 \
      --platform manylinux_2_28_x86_64 -d "$work" "onnxruntime==$onnxruntime_version" ||
      fail "pip could not fetch onnxruntime" "check the network and pip's index setting"
    check_hash "$work/$onnxruntime_wheel" "$onnxruntime_sha256"
    unzip -q -o -j "$work/$onnxruntime_wheel" "*/libonnxruntime.so.$onnxruntime_version" -d "$staged/lib"
    mv "$staged/lib/libonnxruntime.so.$onnxruntime_version" "$staged/lib/libonnxruntime.so.1"
    unzip -q -o -j "$work/$onnxruntime_wheel" onnxruntime/LICENSE onnxruntime/ThirdPartyNotices.txt -d "$staged/licenses"
    fetch_onnxruntime_header "$staged"
    touch "$staged/.complete"
    rm -rf "$target"
    mv "$staged" "$target"
  fi
  end_fetch
}

# A virtual environment for each requirements file, named by the file's hash; pip checks the hashes
# in the file. It cannot be moved once made, so its mark of completeness is written last.
make_python() {  # make_python REQUIREMENTS
  local target
  target=$(python_home "$1")
  [ -e "$target/.complete" ] && return
  begin_fetch
  if [ ! -e "$target/.complete" ]; then
    say "installing the Python packages of tools/$(basename "$1") into $deps"
    rm -rf "$target"
    "$system_python" -m venv "$target" ||
      fail "no Python environment could be made: $target" "install venv (Debian: apt-get install python3-venv)"
    "$target/bin/python" -m pip install -q --disable-pip-version-check --no-deps --only-binary=:all: \
      --require-hashes -r "$1" ||
      fail "pip could not install tools/$(basename "$1")" \
        "its hashes are for $pinned_python on x86_64 (here: $("$system_python" --version)); check the network and pip's index setting"
    touch "$target/.complete"
  fi
  end_fetch
}

# The orders of examples/churn, which the repository does not carry: a file of the Python package lifetimes.
fetch_orders() {
  local target=$deps/lifetimes-$lifetimes_version
  [ -e "$target/.complete" ] && return
  begin_fetch
  if [ ! -e "$target/.complete" ]; then
    say "fetching the orders of examples/churn into $deps"
    local wheel=$work/Lifetimes-$lifetimes_version-py3-none-any.whl staged=$work/staged
    "$(python_home "$here/requirements-test.txt")/bin/python" -m pip download -q --disable-pip-version-check --no-deps \
      --only-binary=:all: -d "$work" "lifetimes==$lifetimes_version" ||
      fail "pip could not fetch lifetimes" "check the network and pip's index setting"
    check_hash "$wheel" "$lifetimes_sha256"
    unzip -q -o -j "$wheel" '*/CDNOW_master.txt' '*/LICENSE.txt' -d "$staged"
    touch "$staged/.complete"
    rm -rf "$target"
    mv "$staged" "$target"
  fi
  end_fetch
}

case "${1:-}" in
  "")
    check_machine
    install_packages
    fetch_duckdb
    fetch_onnxruntime
    make_python "$here/requirements-test.txt"
    fetch_orders
    ;;
  --bench) make_python "$here/requirements-bench.txt" ;;
  *) fail "unknown option: $1" "tools/setup.sh [--bench]" ;;
esac
