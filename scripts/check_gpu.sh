#!/usr/bin/env bash
# On a machine with an NVIDIA GPU and the CUDA toolkit: builds, runs the tests labelled cuda (op suites, blocks, recorded networks), the kernels under
# compute-sanitizer, and measures beside PyTorch where Python has it.
#   check_gpu.sh [FOLDER]    what it writes, by default build/gpu/report; figures.jsonl there has every measurement
# CUDA_ARCHITECTURES (default: that of the GPU) shortens the build; MODELS and BATCHES choose what is measured.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v nvidia-smi >/dev/null || { echo "check_gpu.sh: there is no nvidia-smi, so no driver and no GPU to check" >&2; exit 1; }
report=${1:-build/gpu/report}
mkdir -p "$report"
nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv | tee "$report/gpu.csv"
architectures=${CUDA_ARCHITECTURES:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)}

echo "== Build for compute capability $architectures"
scripts/configure.sh build/gpu -DDFORMER_CUDA_ARCHITECTURES="$architectures" -DDFORMER_CUDA_TRAINING=ON
cmake --build build/gpu --parallel "$(nproc)"
cmake --build build/gpu --parallel "$(nproc)" --target benchmark_cuda_train_step

echo "== Tests"
ctest --test-dir build/gpu -L '^cuda$' --no-tests=error --output-on-failure 2>&1 | tee "$report/tests.txt" | tail -n 5

echo "== compute-sanitizer, the project's own kernels"
unsound=0
for tool in memcheck racecheck; do
  for suite in build/gpu/tests/cuda/cuda_*_test; do
    name=$(basename "$suite")
    # Whole networks have the same kernels as the suites of operations, a thousand times.
    [[ $name == *all_networks* || $name == *train_step* || $name == *networks_test ]] && continue
    echo "$tool $name"
    compute-sanitizer --tool "$tool" --kernel-name kernel_substring=dformer --report-api-errors no --error-exitcode 1 "$suite" \
      >"$report/$tool.$name.txt" 2>&1 ||
      { tail -n 20 "$report/$tool.$name.txt"; unsound=$((unsound + 1)); }
  done
done

echo "== Kernels beside the GPU's ceilings"
build/gpu/benchmarks/benchmark_cuda_kernels --json "$report/kernels.jsonl" | tee "$report/kernels.txt"

echo "== Beside PyTorch"
figures=$report/figures.jsonl
: >"$figures"
for model in ${MODELS:-DFormer_Large DFormerv2_L}; do
  for batch in ${BATCHES:-1 32}; do
    build/gpu/examples/dformer_bench --device cuda --precision float16 --model "$model" --batch "$batch" --runs 100 --warmup 20 \
      --json "$report/$model.$batch.json"
    for mode in eager compile reduce-overhead max-autotune graph; do
      timeout 1800 python3 benchmarks/peers/infer.py --device cuda --precision float16 --model "$model" --batch "$batch" --mode "$mode" |
        tee -a "$figures" || echo "PyTorch did not run $model, batch $batch, mode $mode" >&2
    done
  done
done

echo "== Training steps beside PyTorch"
for model in ${MODELS:-DFormer_Large DFormerv2_L}; do
  build/gpu/benchmarks/benchmark_cuda_train_step "$model" bfloat16 8 10 | tee -a "$figures"
  for compiled in "" --compile; do
    timeout 1800 python3 benchmarks/peers/train_step.py --device cuda --precision bfloat16 --model "$model" --batch 8 $compiled |
      tee -a "$figures" || echo "PyTorch did not train $model $compiled" >&2
  done
done

if [[ $unsound != 0 ]]; then
  echo "compute-sanitizer reported errors in $unsound runs; see $report" >&2
  exit 1
fi
