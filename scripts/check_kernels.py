#!/usr/bin/env python3
"""Finds CUDA kernels whose first statement is not start_behind_previous() (device/language.cuh says why it must be)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOUNDS = r"(?:\s+__launch_bounds__\((?:[^()]|\([^()]*\))*\))?"
KERNEL = re.compile(r"__global__" + BOUNDS + r"\s+void" + BOUNDS + r"\s+(\w+)\([^{};]*\)\s*\{")

kernels, faults = 0, []
for path in sorted((ROOT / "include/dformer/backend/cuda/device").rglob("*.cuh")):
    text, name = re.sub(r"//.*", "", path.read_text()), path.relative_to(ROOT)
    found = list(KERNEL.finditer(text))
    kernels += len(found)
    if len(found) != text.count("__global__"):
        faults.append(f"{name}: has kernels that are written in a way that this check does not know")
    for kernel in found:
        if not text[kernel.end():].lstrip().startswith("start_behind_previous();"):
            line = text.count("\n", 0, kernel.start()) + 1
            faults.append(f"{name}:{line}: {kernel[1]} does not begin with start_behind_previous()")
print("\n".join(faults) if faults else f"{kernels} kernels begin with start_behind_previous()")
sys.exit(bool(faults))
