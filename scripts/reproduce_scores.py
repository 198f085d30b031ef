#!/usr/bin/env python3
"""Scores the fourteen official networks by three protocols, beside the published scores.

    scripts/reproduce_scores.py --checkpoints DIR --data-root DIR --out DIR [--eval build/.../dformer_eval]

DIR of the checkpoints holds the published files, in it or below; that of the data NYUDepthv2 and SUNRGBD. Which rows there
are, their files and their published scores is what `dformer_eval --audit --list` says. What is not there is skipped, and the
table says why. A run that was stopped goes on: scores of the same weights over as many images of the same list are not
computed again. Lines of earlier runs in the same OUT stay in the tables until they are run again; a trial of some images
(--max-images) does not replace the score of all.

Writes OUT/scores.csv and OUT/scores.md, and for every row and protocol what dformer_eval writes, in OUT/ROW/PROTOCOL, of a
trial of N images in OUT/ROW/PROTOCOL.trial-N.
Exits with 1 if a run failed, or a score is further from the published one than --tolerance.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

# The published scores are of multi-scale and flip. Sliding windows and a single scale have none.
PROTOCOLS = {
    "single_scale": [],
    "multi_scale_flip": ["--multi-scale", "--flip"],
    "sliding": ["--multi-scale", "--flip", "--sliding"],
}
OF_ALL_IMAGES = ("reproduced", "differs", "measured")
COLUMNS = ["row", "protocol", "target", "actual", "difference", "status", "images", "reason", "protocol_text"]


def arguments():
    parser = argparse.ArgumentParser(description="Scores the fourteen official networks beside the published scores.")
    absolute = lambda text: Path(text).absolute()  # what an earlier run wrote down holds from any folder
    parser.add_argument("--checkpoints", required=True, type=absolute, help="folder with the published files, in it or below")
    parser.add_argument("--data-root", required=True, type=absolute, help="folder of the folders NYUDepthv2 and SUNRGBD")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--eval", default="dformer_eval", help="the program")
    parser.add_argument("--rows", type=lambda text: text.split(","), help="only these rows, separated by commas")
    parser.add_argument("--protocols", type=lambda text: text.split(","), default=list(PROTOCOLS))
    parser.add_argument("--max-images", type=int, default=0, help="a trial with so many images; 0 for all")
    parser.add_argument("--tolerance", type=float, default=0.3, help="of the mIoU, in points")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    for name in options.protocols:
        if name not in PROTOCOLS:
            parser.error(f"no protocol is named {name}; there are {', '.join(PROTOCOLS)}")
    return options


def official_rows(options):
    try:
        listed = subprocess.run([options.eval, "--audit", "--list"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}; --eval should name the program dformer_eval")
    try:
        rows = json.loads(listed.stdout)
        names = [row["name"] for row in rows]
    except (ValueError, TypeError, KeyError):
        sys.exit(f"{options.eval} --audit --list gave no list of rows; --eval should name the program dformer_eval")
    unknown = set(options.rows or []) - set(names)
    if unknown:
        sys.exit(f"no row is named {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return rows


def find_below(folder, name):
    return next((Path(at) / name for at, _, files in os.walk(folder) if name in files), None)


def read_score(metrics):
    """None where there is none, or a file that is no score."""
    try:
        score = json.loads(metrics.read_text())
        return score if {"weights", "dataset", "images", "miou", "protocol"} <= score.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def earlier_score(options, row, checkpoint, metrics):
    """The score of an earlier run of the same weights over as many images of the same list; None where there is none."""
    score = read_score(metrics)
    images = options.data_root / row["folder"] / "test.txt"
    if score is None or not images.is_file():
        return None
    written = metrics.stat().st_mtime
    same = (score["weights"].get("checkpoint") == str(checkpoint) and score["dataset"].endswith(f", {images}")
            and score["images"] == (options.max_images or row["images"]))
    newer = any(path.stat().st_mtime > written for path in (checkpoint, images))
    return score if same and not newer else None


def evaluate(options, row, checkpoint, protocol, out):
    """Runs dformer_eval unless its score is there already; returns its score, or an error's text."""
    metrics = out / "metrics.json"
    if earlier_score(options, row, checkpoint, metrics) is None:
        command = [options.eval, "--model", row["model"], "--dataset", row["dataset"], "--checkpoint", str(checkpoint),
                   "--data", str(options.data_root / row["folder"]), "--out", str(out),
                   "--max-images", str(options.max_images), "--threads", str(options.threads), *PROTOCOLS[protocol]]
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if run.returncode != 0:
            return None, " ".join(run.stderr.split()) or f"exit code {run.returncode}"
    score = read_score(metrics)
    return score, "" if score else f"{options.eval} ended well, but {metrics} is no score"


def measure(options, row, protocol):
    """One line of the table."""
    line = dict.fromkeys(COLUMNS, "") | {"row": row["name"], "protocol": protocol}
    if protocol == "multi_scale_flip":
        line["target"] = row["published_miou_percent"]
    checkpoint = find_below(options.checkpoints, row["checkpoint"])
    data = options.data_root / row["folder"]
    if checkpoint is None:
        return line | {"status": "skipped", "reason": f"no {row['checkpoint']} in {options.checkpoints}"}
    if not data.is_dir():
        return line | {"status": "skipped", "reason": f"no folder {data}"}
    trial = f".trial-{options.max_images}" if options.max_images else ""
    score, error = evaluate(options, row, checkpoint, protocol, options.out / row["name"] / (protocol + trial))
    if score is None:
        return line | {"status": "failed", "reason": error}
    line |= {"actual": round(100 * score["miou"], 2), "images": score["images"],
             "protocol_text": score["protocol"]["text"]}
    if score["images"] != row["images"]:
        return line | {"status": "trial", "reason": f"{score['images']} of {row['images']} images: not comparable"}
    if line["target"] == "":
        return line | {"status": "measured"}
    line["difference"] = round(line["actual"] - line["target"], 2)
    return line | {"status": "reproduced" if abs(line["difference"]) <= options.tolerance else "differs"}


def replace_text(path, write):
    """Whole or not at all."""
    aside = path.with_name(path.name + ".tmp")
    with aside.open("w", newline="") as file:
        write(file)
    aside.replace(path)


def earlier_lines(options):
    """Those of the tables that are there, by row and protocol."""
    table = options.out / "scores.csv"
    if not table.is_file():
        return {}
    try:
        with table.open(newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lines = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        sys.exit(f"{table} cannot be read ({error}); move it away or choose another --out")
    if reader.fieldnames != COLUMNS or any(None in line or None in line.values() for line in lines):
        sys.exit(f"{table} is no table of this script, which would replace it; move it away or choose another --out")
    return {(line["row"], line["protocol"]): line for line in lines}


def write_tables(options, lines):
    def write_csv(file):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)

    def write_markdown(file):
        cell = lambda value: str(value).replace("|", "\\|")
        file.write("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|\n")
        for line in lines:
            file.write("| " + " | ".join(cell(line[column]) for column in COLUMNS) + " |\n")

    replace_text(options.out / "scores.csv", write_csv)
    replace_text(options.out / "scores.md", write_markdown)


def main():
    options = arguments()
    rows = official_rows(options)
    lines = earlier_lines(options)
    try:  # before days of computing
        options.out.mkdir(parents=True, exist_ok=True)
        write_tables(options, lines.values())
    except OSError as error:
        sys.exit(f"--out {options.out}: {error}; name a folder that can be made and written to")
    asked = [(row, protocol) for row in rows if not options.rows or row["name"] in options.rows
             for protocol in options.protocols]
    kept = len(lines.keys() - {(row["name"], protocol) for row, protocol in asked})
    order = {(row["name"], protocol): i for i, (row, protocol) in
             enumerate((row, protocol) for row in rows for protocol in PROTOCOLS)}
    failed = False
    for row, protocol in asked:
        line = measure(options, row, protocol)
        before = lines.get((row["name"], protocol), {"status": ""})
        if not options.max_images or line["status"] in OF_ALL_IMAGES or before["status"] not in OF_ALL_IMAGES:
            lines[row["name"], protocol] = line
        print(f"{line['row']:26} {protocol:17} {line['status']:11} {line['actual']!s:>6} {line['reason']}", flush=True)
        failed |= line["status"] in ("failed", "differs")
        # After each, for a run of days may be stopped.
        write_tables(options, [lines[key] for key in sorted(lines, key=lambda key: order.get(key, len(order)))])
    print(f"written to {options.out}/scores.csv and scores.md" + (f", beside {kept} lines of earlier runs" if kept else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
