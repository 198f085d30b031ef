#!/bin/sh
# Fuzzes every reader of files that come from elsewhere with libFuzzer under the address and undefined-behaviour sanitizers.
#   tests/fuzz/nightly.sh [seconds for each reader, default 60] [folder for what is built and found]
# Needs clang++. Exits with 1 if a reader crashed, hung or used more than 1 GB; the input is then in the folder.
set -eu
seconds=${1:-60}
folder=${2:-fuzz-results}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$folder"
zlib=
if printf '#include <zlib.h>\nint main() { return zlibVersion() == nullptr; }\n' |
    "${CXX:-clang++}" -x c++ - -lz -o "$folder/zlib_probe" 2>/dev/null; then
  zlib="-DDFORMER_HAS_ZLIB -lz"
fi

status=0
for target in torch_zip torch_legacy pickle safetensors jittor npz parity lists recipe; do
  seeds=$here/corpus/$target
  libraries=$zlib
  case $target in
    lists | parity) ;;
    recipe) libraries="-I$root/examples $(pkg-config --cflags opencv4 | sed s/-I/-isystem/g) -lopencv_core" ;;
    *) seeds="$seeds $root/tests/data/checkpoints" ;;
  esac
  # shellcheck disable=SC2086
  "${CXX:-clang++}" -std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -I"$root/include" -I"$root/tests" "$here/${target}_fuzzer.cpp" \
    -o "$folder/${target}_fuzzer" $libraries
  mkdir -p "$folder/$target"
  # shellcheck disable=SC2086
  "$folder/${target}_fuzzer" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$folder/${target}-" \
    "$folder/$target" $seeds || status=1
done
exit $status
