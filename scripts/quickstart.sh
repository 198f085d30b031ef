#!/usr/bin/env bash
# From a fresh clone to a trained network: installs what is missing, builds, makes synthetic rooms, trains a small network
# on them with depth and without (at most three minutes each), and draws what it sees, also in the real pairs of
# samples/. Arguments go to dformer_quickstart.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/configure.sh build/quickstart -DDFORMER_BUILD_TESTS=OFF -DDFORMER_BUILD_BENCHMARKS=OFF
cmake --build build/quickstart --parallel "$(nproc)" --target dformer_quickstart
build/quickstart/examples/dformer_quickstart --out build/quickstart/out "$@"
