#!/usr/bin/env python3
"""Measures what dformer costs to compile, and prints the table of docs/compile_cost.md.

usage: measure_compile_cost.py [COMPILER...]    (by default g++ and clang++, as far as installed)

Each program is compiled, not linked, with -O2: the processor time of the best of three runs, which is the wall time on a
machine that does nothing else, and the compiler's peak memory. Needs OpenCV's headers, found through pkg-config.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPEATS = 3
INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"

ONE_MODEL = """#include <dformer/dformer.hpp>
#include <opencv2/imgcodecs.hpp>
int main(int, char** argv) {
  dformer::DFormer_Large<> net;
  dformer::load(net, argv[1]);
  cv::imwrite(argv[4], dformer::segment(net, cv::imread(argv[2]), cv::imread(argv[3], cv::IMREAD_UNCHANGED)));
}
"""
VARIANTS = ["DFormer_Tiny", "DFormer_Small", "DFormer_Base", "DFormer_Large", "DFormerv2_S", "DFormerv2_B", "DFormerv2_L"]
ALL_MODELS = """#include <dformer/dformer.hpp>
#include <opencv2/imgcodecs.hpp>
template <class Network>
void run(char** argv) {
  Network net;
  dformer::load(net, argv[1]);
  cv::imwrite(argv[4], dformer::segment(net, cv::imread(argv[2]), cv::imread(argv[3], cv::IMREAD_UNCHANGED)));
}
int main(int, char** argv) {
  switch (argv[5][0]) {
""" + "".join(f"    case '{i}': run<dformer::{name}<>>(argv); break;\n" for i, name in enumerate(VARIANTS)) + "  }\n}\n"

BY_NAME = """#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/models/zoo.hpp>
namespace dformer {
template SegmenterPointer<Cpu<>> make_segmenter(std::string_view, int, OfficialDataset);
}
"""

COMPILED = ["-DDFORMER_PRECOMPILED"]
PROGRAMS = [
    ("empty `main`", "int main() {}\n", []),
    ("`#include <dformer/models.hpp>`", "#include <dformer/models.hpp>\nint main() {}\n", []),
    ("`#include <dformer/dformer.hpp>`", "#include <dformer/dformer.hpp>\nint main() {}\n", []),
    ("one network, with `dformer::cpu`", ONE_MODEL, COMPILED),
    ("one network, header-only", ONE_MODEL, []),
    ("all seven networks, with `dformer::cpu`", ALL_MODELS, COMPILED),
    ("all seven networks, header-only", ALL_MODELS, []),
    ("all seven by name, `make_segmenter<Cpu<>>`, with `dformer::cpu`", BY_NAME, COMPILED),
    ("`dformer::cpu` itself, float", "#include <dformer/backend/cpu/kernels/kernels.hpp>\n",
     ["-DDFORMER_KERNELS_FOR=float"]),
]


def compile_once(command):
    """Processor seconds and MiB of one run."""
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        sys.exit("failed: " + " ".join(command))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(compiler, source, flags, includes):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "program.cpp")
        path.write_text(source)
        command = [compiler, "-std=c++20", "-O2", f"-I{INCLUDE}", *includes, *flags, "-c", str(path), "-o",
                   str(pathlib.Path(folder, "program.o"))]
        runs = [compile_once(command) for _ in range(REPEATS)]
    return min(seconds for seconds, _ in runs), max(mebibytes for _, mebibytes in runs)


def main():
    compilers = sys.argv[1:] or [name for name in ("g++", "clang++") if shutil.which(name)]
    includes = subprocess.run(["pkg-config", "--cflags", "opencv4"], capture_output=True, text=True, check=True).stdout
    includes = includes.replace("-I", "-isystem").split()
    for compiler in compilers:
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
        print(f"- {compiler}: {version.splitlines()[0]}")
    print("\n| program | " + " | ".join(f"{name}, s | {name}, MiB" for name in compilers) + " |")
    print("|---|" + "--:|--:|" * len(compilers))
    for label, source, flags in PROGRAMS:
        cells = []
        for compiler in compilers:
            seconds, mebibytes = measure(compiler, source, flags, includes)
            cells.append(f"{seconds:.1f} | {mebibytes:.0f}")
        print(f"| {label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
