#!/usr/bin/env python3
"""Checks who includes whom below include/dformer: folders only look back along the list of layers, and third-party
headers stay in the folders that may know them. Prints every offending line and exits with 1 if there is one.

usage: check_includes.py [INCLUDE_DIR]    (by default the include folder beside this script's own)
"""
import pathlib
import re
import sys

LAYERS = ["core", "backend", "nn", "blocks", "stages", "heads", "losses", "models", "data", "eval", "io", "viz",
          "train"]

# Checkpoints are read and written without knowing any network: io looks at parameters and nothing between.
# Images are read and drawn without knowing any network either.
NARROWER = {"io": {"core", "backend", "nn"}, "data": {"core"}, "viz": {"core", "data"}}

# The backends that compute, each below backend/ and known by itself alone: the program chooses one. (Those that only
# record, such as count, are for everybody.)
DEVICES = {"cpu", "cuda"}

# Which folders may include what is neither ours nor the standard library's nor the system's.
THIRD_PARTY = {
    "opencv2": {"data", "eval", "viz"},
    "zlib.h": {"io"},
    "onnx": {"io"},
}
# protobuf's headers are large, so they are known by a source that is compiled once, and by no header.
SOURCES_ONLY = {"onnx"}
# Headers of the operating system, for what the standard library lacks: files written safely or mapped, large pages.
SYSTEM = {"core", "backend", "io"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z0-9_]+$")


def layer_of(path):
    """The folder below dformer/; None for an umbrella header, which stands at the top and may include everything."""
    parts = pathlib.PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 else None


def fault(header, quote, included):
    """What is wrong with `header` including `included`, or None. Both are paths like dformer/nn/linear.hpp."""
    layer = layer_of(header)
    if quote == '"':
        return "write <dformer/...>, so that the header means the same wherever it is included"
    if layer is None:
        return None
    if included.startswith("dformer/"):
        return dformer_fault(layer, header, included)
    if STANDARD.match(included):
        return None
    for prefix, folders in THIRD_PARTY.items():
        if included == prefix or included.startswith(prefix + "/"):
            if prefix in SOURCES_ONLY and header.endswith(".hpp"):
                return f"no header may know {prefix}; include it where the source is compiled (.inl)"
            return None if layer in folders else f"only {', '.join(sorted(folders))} may know {prefix}"
    if included.endswith(".h"):
        return None if layer in SYSTEM else f"only {', '.join(sorted(SYSTEM))} may know the operating system"
    return "a third-party header that no folder is listed for"


def dformer_fault(layer, header, included):
    target = layer_of(included)
    if target is None:
        plain = included in ("dformer/fwd.hpp", "dformer/version.hpp")
        return None if plain else "an umbrella header stands above every folder"
    if target not in LAYERS:
        return f"{target} is not in the list of layers"
    if LAYERS.index(target) > LAYERS.index(layer):
        return f"{target} comes after {layer}"
    if target != layer and layer in NARROWER and target not in NARROWER[layer]:
        return f"{layer} may only know {', '.join(sorted(NARROWER[layer]))}"
    backend = pathlib.PurePosixPath(included).parts[2]
    if target == "backend" and backend in DEVICES and not header.startswith(f"dformer/backend/{backend}/"):
        return f"nothing here asks which device it is on; only umbrella headers name {backend}"
    return None


def check(root):
    """Every fault below `root`, as lines of text."""
    faults = []
    for path in sorted(root.glob("dformer/**/*")):
        if path.suffix not in (".hpp", ".inl"):
            continue
        header = path.relative_to(root).as_posix()
        layer = layer_of(header)
        lines = path.read_text(encoding="utf-8").splitlines()
        if layer is not None and layer not in LAYERS:
            faults.append(f"{header}: {layer} is not in the list of layers")
            continue
        if path.suffix == ".hpp" and "#pragma once" not in lines:
            faults.append(f"{header}: no #pragma once")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            what = match and fault(header, match.group(1), match.group(2))
            if what:
                faults.append(f"{header}:{number}: includes {match.group(2)}: {what}")
    return faults


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "include")
    if not (root / "dformer").is_dir():
        sys.exit(f"no folder dformer in {root}")
    faults = check(root)
    for line in faults:
        print(line)
    if faults:
        sys.exit(f"{len(faults)} include(s) against the order of the layers; the table is in CONTRIBUTING.md")


if __name__ == "__main__":
    main()
