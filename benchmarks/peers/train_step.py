#!/usr/bin/env python3
"""Times training steps (forward, backward, AdamW) of a network in PyTorch, on the CPU as benchmark_train_step does ours, or on
a GPU as benchmark_cuda_train_step does. Prints one line of JSON: the median and the least milliseconds of a step, and the peak
memory in MiB: the process's, or what tensors held on the GPU."""
import argparse
import json
import resource
import statistics
import time

import torch

import asymformer_torch
import dformer_torch
import dformer_v2_torch
from compiling import compiled, wait_for

MODELS = {name: dformer_torch.DFormer for name in dformer_torch.CONFIGS}
MODELS.update({name: dformer_v2_torch.DFormerV2 for name in dformer_v2_torch.CONFIGS})
MODELS.update({name: asymformer_torch.AsymFormer for name in asymformer_torch.CONFIGS})

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="DFormer_Small", choices=sorted(MODELS))
parser.add_argument("--size", default="480x640")
parser.add_argument("--batch", type=int, default=2)
parser.add_argument("--threads", type=int, default=2, help="of the CPU")
parser.add_argument("--steps", type=int, default=5, help="on a GPU: of each of five rounds")
parser.add_argument("--compile", action="store_true", help="with torch.compile")
parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16", "float16"),
                    help="by autocast; with float16 the loss is scaled by a GradScaler")
parser.add_argument("--tf32", action="store_true", help="float32 products may round their factors on a GPU")
parser.add_argument("--wait-for", help="a file: warm up, and measure once it is there")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(1)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.tf32
torch.backends.cudnn.benchmark = True
height, width = map(int, options.size.split("x"))
on_gpu = options.device == "cuda"
device = torch.device(options.device)
network = MODELS[options.model](options.model).to(device, memory_format=torch.channels_last).train()
optimizer = torch.optim.AdamW(network.parameters(), lr=6e-5, weight_decay=0.01, fused=on_gpu)
scaler = torch.amp.GradScaler(options.device, enabled=options.precision == "float16")
loss = compiled(dformer_torch.loss) if options.compile else dformer_torch.loss


def on_host(tensor):
    return tensor.pin_memory() if on_gpu else tensor


# Each step takes its batch from the host, as ours does.
rgb = on_host(torch.randn(options.batch, 3, height, width).to(memory_format=torch.channels_last))
depth = on_host(torch.randn(options.batch, 1, height, width).to(memory_format=torch.channels_last))
labels = on_host(torch.randint(0, 40, (options.batch, height, width), dtype=torch.uint8))


def step():
    optimizer.zero_grad(set_to_none=True)
    inputs = [tensor.to(device, non_blocking=True) for tensor in (rgb, depth, labels)]
    with torch.autocast(options.device, getattr(torch, options.precision), enabled=options.precision != "float32"):
        value = loss(network, inputs[0], inputs[1], inputs[2].long())
    scaler.scale(value).backward()
    scaler.step(optimizer)
    scaler.update()
    return value.detach()


def round_of(steps):
    """Milliseconds of a step, on the mean."""
    if on_gpu:
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        value = step()
    if on_gpu:
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / steps, float(value)


for _ in range(5 if options.compile else 2):
    step()
wait_for(options.wait_for)
if on_gpu:
    torch.cuda.reset_peak_memory_stats()
rounds = [round_of(options.steps) for _ in range(5)] if on_gpu else [round_of(1) for _ in range(options.steps)]
times = [milliseconds for milliseconds, _ in rounds]
peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
median = statistics.median(times)
print(json.dumps({"torch": torch.__version__, "compiled": options.compile, "model": options.model,
                  "precision": options.precision, "tf32": options.tf32, "batch": options.batch, "median_ms": round(median, 2),
                  "least_ms": round(min(times), 2), "images_per_s": round(1000 * options.batch / median, 1),
                  "peak_mib": round(peak), "loss": round(rounds[-1][1], 4)}))
