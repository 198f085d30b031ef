#!/usr/bin/env python3
"""Times a network in PyTorch from normalised images to class scores, as dformer_bench's `net` does ours, on a GPU or the CPU.
Prints one line of JSON: percentiles in milliseconds. Modes: eager; compile (torch.compile); reduce-overhead and
max-autotune (its best modes, with CUDA graphs); graph (eager, captured as a CUDA graph); onnxruntime and openvino (on the
CPU, the network as PyTorch exports it, which needs their packages, onnx and onnxscript)."""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

import torch

import asymformer_torch
import dformer_torch
import dformer_v2_torch
from compiling import compiled, wait_for

NETWORKS = {name: dformer_torch.DFormer for name in dformer_torch.CONFIGS}
NETWORKS |= {name: dformer_v2_torch.DFormerV2 for name in dformer_v2_torch.CONFIGS}
NETWORKS |= {name: asymformer_torch.AsymFormer for name in asymformer_torch.CONFIGS}
COMPILED = {"compile": "default", "reduce-overhead": "reduce-overhead", "max-autotune": "max-autotune"}
MODES = ["eager", *COMPILED, "graph", "onnxruntime", "openvino"]


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


def exported(network, rgb, depth, runtime, threads):
    """A call that runs the network's ONNX file in another runtime, at this size and in float32; and the runtime's version."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(pathlib.Path(folder) / "network.onnx")
        torch.onnx.export(network, (rgb, depth), file, input_names=["rgb", "depth"], opset_version=18, dynamo=True,
                          verbose=False)
        inputs = {"rgb": rgb.contiguous().numpy(), "depth": depth.contiguous().numpy()}
        if runtime == "onnxruntime":
            import onnxruntime
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
            return lambda: session.run(None, inputs), f"onnxruntime {onnxruntime.__version__}"
        import openvino
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        request = openvino.compile_model(file, "CPU", settings).create_infer_request()
        return lambda: request.infer(inputs), f"openvino {openvino.__version__}"


def milliseconds(call, cuda, runs):
    times = []
    for _ in range(runs):
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
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="DFormer_Large", choices=sorted(NETWORKS))
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--precision", default="float32", choices=["float32", "float16", "bfloat16"])
    parser.add_argument("--mode", default="eager", choices=MODES)
    parser.add_argument("--size", default="480x640")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--wait-for", help="a file: warm up, and measure once it is there; so that several can compile side by "
                                           "side and be measured alone")
    options = parser.parse_args()
    is_exported = options.mode in ("onnxruntime", "openvino")
    if is_exported and (options.device, options.precision) != ("cpu", "float32"):
        parser.error(f"--mode {options.mode} is measured on the CPU in float32 only")

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True
    cuda, dtype = options.device == "cuda", getattr(torch, options.precision)
    height, width = map(int, options.size.split("x"))
    network = NETWORKS[options.model](options.model).eval().to(options.device, dtype, memory_format=torch.channels_last)
    rgb, depth = (torch.randn(options.batch, c, height, width, device=options.device, dtype=dtype)
                  .to(memory_format=torch.channels_last) for c in (3, 1))
    if options.mode in COMPILED:
        network = compiled(network, COMPILED[options.mode])
    runtime = "torch"
    with torch.inference_mode():
        if options.mode == "graph":
            call = captured(network, rgb, depth)
        elif is_exported:
            call, runtime = exported(network, rgb, depth, options.mode, options.threads)
        else:
            call = lambda: network(rgb, depth)
        milliseconds(call, cuda, options.warmup)
        wait_for(options.wait_for)
        times = milliseconds(call, cuda, options.runs)
    at = lambda share: round(times[min(len(times) - 1, int(share * len(times)))], 3)
    print(json.dumps({
        "torch": torch.__version__, "runtime": runtime, "threads": options.threads,
        "device": torch.cuda.get_device_name() if cuda else "cpu", "model": options.model, "precision": options.precision,
        "mode": options.mode, "batch": options.batch, "size": options.size,
        "p50_ms": at(0.5), "p90_ms": at(0.9), "min_ms": round(times[0], 3), "mean_ms": round(statistics.mean(times), 3)}))


if __name__ == "__main__":
    main()
