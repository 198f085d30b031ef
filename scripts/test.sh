#!/usr/bin/env bash
# Everything from a fresh clone to a tested build: packages, build with warnings as errors, tests. The last lines are
# ctest's. Arguments go to ctest, such as -L cpu or -R negative.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where CUDA is installed, its kernels are compiled for the oldest and the newest of the GPUs that they are for.
scripts/configure.sh build/test -DDFORMER_WARNINGS_AS_ERRORS=ON "-DDFORMER_CUDA_ARCHITECTURES=75;90"
cmake --build build/test --parallel "$(nproc)"
ctest --test-dir build/test --parallel "$(nproc)" --no-tests=error --output-on-failure "$@"
