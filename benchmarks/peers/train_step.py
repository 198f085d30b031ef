#!/usr/bin/env python3
"""Times training steps (forward, backward, AdamW) of a DFormer in PyTorch on the CPU, as benchmark_train_step does ours.
Prints one line of JSON: the median and the least milliseconds of a step, and the process's peak memory in MiB."""
import argparse
import json
import resource
import statistics
import time

import torch

import dformer_torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="DFormer_Small", choices=sorted(dformer_torch.CONFIGS))
parser.add_argument("--size", default="480x640")
parser.add_argument("--batch", type=int, default=2)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--compile", action="store_true", help="with torch.compile")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(1)
height, width = map(int, options.size.split("x"))
network = dformer_torch.DFormer(options.model).to(memory_format=torch.channels_last).train()
optimizer = torch.optim.AdamW(network.parameters(), lr=6e-5, weight_decay=0.01)
rgb = torch.randn(options.batch, 3, height, width).to(memory_format=torch.channels_last)
depth = torch.randn(options.batch, 1, height, width).to(memory_format=torch.channels_last)
labels = torch.randint(0, 40, (options.batch, height, width))
loss = torch.compile(dformer_torch.loss) if options.compile else dformer_torch.loss

times = []
for step in range(options.steps + 2):
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss(network, rgb, depth, labels).backward()
    optimizer.step()
    if step >= 2:
        times.append(1000 * (time.perf_counter() - start))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"torch": torch.__version__, "compiled": options.compile, "median_ms": round(statistics.median(times)),
                  "least_ms": round(min(times)), "peak_mib": round(peak)}))
