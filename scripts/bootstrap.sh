#!/usr/bin/env bash
# Installs what dformer is built with, on Debian 12 or Ubuntu 22.04 and later, as root or through sudo. It says what it
# installs, and does nothing where all of it is there.
#   --developer   also what scripts/check.sh and the presets use: clang, clang-format, clang-tidy, ccache
set -euo pipefail

packages=(
  g++ cmake ninja-build python3
  zlib1g-dev          # compressed checkpoints
  libopencv-dev       # reading and writing images
  libcli11-dev        # command lines of the programs
  libtomlplusplus-dev # recipes of dformer_train and dformer_doctor
  libgtest-dev libbenchmark-dev nlohmann-json3-dev  # tests and benchmarks
)
# Left out where the system's archive has none: what needs them is then not built, and says so.
optional=(libonnx-dev libprotobuf-dev protobuf-compiler)  # export to ONNX
case "${1:-}" in
  "") ;;
  --developer) packages+=(clang clang-format clang-tidy ccache) ;;
  *) echo "usage: $0 [--developer]" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "This script knows Debian and Ubuntu only. Elsewhere install a C++20 compiler (g++ 12, clang 14 or later)," >&2
  echo "CMake 3.22, Ninja, nlohmann/json, zlib, OpenCV, CLI11, toml++, libonnx, GoogleTest and Google Benchmark." >&2
  exit 1
fi

# Ubuntu 22.04's own g++ is 11, which is too old.
if [ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = jammy ]; then packages=("${packages[@]/#g++/g++-12}"); fi

is_missing() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true)" != installed ]; }
missing=()
for package in "${packages[@]}" "${optional[@]}"; do
  if is_missing "$package"; then missing+=("$package"); fi
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "All packages are installed: ${packages[*]} ${optional[*]}"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Become root, or install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
for package in "${optional[@]}"; do
  apt-cache show "$package" >/dev/null 2>&1 && continue
  echo "Not in this system's archive, left out: $package"
  for i in "${!missing[@]}"; do if [ "${missing[i]}" = "$package" ]; then unset "missing[i]"; fi; done
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "Installing: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
