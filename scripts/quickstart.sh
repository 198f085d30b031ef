#!/usr/bin/env bash
# From a fresh clone to a first label map: installs what is missing, builds dformer_infer and labels a sample pair. The
# weights are random, so the labels mean nothing yet; docs/programs.md says how to give dformer_infer a checkpoint.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/configure.sh build/quickstart -DDFORMER_BUILD_TESTS=OFF -DDFORMER_BUILD_BENCHMARKS=OFF
cmake --build build/quickstart --parallel "$(nproc)" --target dformer_infer

sample=samples/tum_desk_640
build/quickstart/examples/dformer_infer --model DFormer_Tiny --init 1 --rgb $sample/rgb.png --depth $sample/depth.png \
  --depth-encoding tum --out build/quickstart/sample
