#!/usr/bin/env bash
# What must pass before a change goes in: format, order of the layers, build, every header alone, tests.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/bootstrap.sh --developer
echo "Format (.clang-format)"
git ls-files -z '*.hpp' '*.cpp' '*.inl' '*.cuh' | xargs -0 clang-format --dry-run --Werror
echo "Order of the layers"
scripts/check_includes.py
scripts/test.sh "$@"
