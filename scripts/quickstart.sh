#!/usr/bin/env bash
# From a fresh clone to a first label map: installs what is missing, builds dformer_infer and labels the sample pairs. The
# weights are random, so the labels mean nothing yet; docs/programs.md says how to give dformer_infer a checkpoint.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/configure.sh build/quickstart -DDFORMER_BUILD_TESTS=OFF -DDFORMER_BUILD_BENCHMARKS=OFF
cmake --build build/quickstart --parallel "$(nproc)" --target dformer_infer

# Each pair's depth has a unit of its own: samples/README.md.
for sample in tum_desk_640:tum livingroom_kinect2_512:sun livingroom_kinect2_1440:mm; do
  pair=samples/${sample%:*}
  build/quickstart/examples/dformer_infer --model DFormer_Tiny --init 1 --rgb "$pair/rgb.png" --depth "$pair/depth.png" \
    --depth-encoding "${sample#*:}" --out "build/quickstart/${sample%:*}"
done
