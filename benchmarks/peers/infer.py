#!/usr/bin/env python3
"""Times a DFormer in PyTorch from normalised images to class scores, as dformer_bench's `net` does ours, on a GPU or the CPU.
Prints one line of JSON: percentiles in milliseconds. Modes: eager; compile (torch.compile); max-autotune (its best
mode, with CUDA graphs); graph (eager, captured as a CUDA graph)."""
import argparse
import json
import statistics
import time

import torch

import dformer_torch
import dformer_v2_torch

NETWORKS = {name: dformer_torch.DFormer for name in dformer_torch.CONFIGS}
NETWORKS |= {name: dformer_v2_torch.DFormerV2 for name in dformer_v2_torch.CONFIGS}


def captured(network, rgb, depth):
    """A call that replays the network on these inputs."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(rgb, depth)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(rgb, depth)
    return graph.replay


def milliseconds(call, cuda, warmup, runs):
    times = []
    for run in range(warmup + runs):
        if cuda:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            call()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end))
        else:
            begin = time.perf_counter()
            call()
            times.append(1000 * (time.perf_counter() - begin))
    return sorted(times[warmup:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="DFormer_Large", choices=sorted(NETWORKS))
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--precision", default="float32", choices=["float32", "float16", "bfloat16"])
    parser.add_argument("--mode", default="eager", choices=["eager", "compile", "max-autotune", "graph"])
    parser.add_argument("--size", default="480x640")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True
    cuda, dtype = options.device == "cuda", getattr(torch, options.precision)
    height, width = map(int, options.size.split("x"))
    network = NETWORKS[options.model](options.model).eval().to(options.device, dtype, memory_format=torch.channels_last)
    rgb, depth = (torch.randn(options.batch, c, height, width, device=options.device, dtype=dtype)
                  .to(memory_format=torch.channels_last) for c in (3, 1))
    if options.mode in ("compile", "max-autotune"):
        network = torch.compile(network, mode="default" if options.mode == "compile" else "max-autotune")
    with torch.inference_mode():
        call = captured(network, rgb, depth) if options.mode == "graph" else lambda: network(rgb, depth)
        times = milliseconds(call, cuda, options.warmup, options.runs)
    at = lambda share: round(times[min(len(times) - 1, int(share * len(times)))], 3)
    print(json.dumps({
        "torch": torch.__version__, "device": torch.cuda.get_device_name() if cuda else "cpu", "model": options.model,
        "precision": options.precision, "mode": options.mode, "batch": options.batch, "size": options.size,
        "p50_ms": at(0.5), "p90_ms": at(0.9), "min_ms": round(times[0], 3), "mean_ms": round(statistics.mean(times), 3)}))


if __name__ == "__main__":
    main()
