"""What the peers share of torch.compile."""
import os
import sys
import time

import torch


def compiled(function, mode="default"):
    """torch.compile. PyTorch 2.11 raises an exception of its own, CantSplit, without the arguments that it demands, and stops
    where it meant to try another way (DFormer_Large, batch 1): they are optional here."""
    try:
        from torch._inductor.codegen.simd import CantSplit
    except ImportError:
        return torch.compile(function, mode=mode)
    try:
        CantSplit()
    except TypeError:
        CantSplit.__init__ = lambda self, *arguments: Exception.__init__(self, *arguments)
        CantSplit.__str__ = Exception.__str__
    return torch.compile(function, mode=mode)


def wait_for(file):
    """Says that all is compiled, and returns when the file is there; at once where none is named."""
    if file is None:
        return
    print("ready", file=sys.stderr, flush=True)
    while not os.path.exists(file):
        time.sleep(0.1)
