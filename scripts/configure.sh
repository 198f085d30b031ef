#!/usr/bin/env bash
# configure.sh BUILD_DIR [CMAKE_ARGUMENTS…]: installs what is missing and configures an optimised build. The compiler is
# that of CXX, or g++ 12, or the system's.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/bootstrap.sh
CXX=${CXX:-$(command -v g++-12 || command -v g++)} cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release "${@:2}"
