"""Runs the project's PyTorch peer under examples/python/dump_activations.py: FOLDER gets the weights, what the modules
gave, and what they gave after one weight was changed. Then a stack of other modules, read back."""
import json
import pathlib
import struct
import sys

import torch
from torch import nn

root = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(root / "benchmarks" / "peers"), str(root / "examples" / "python")]
from dformer_torch import DFormer  # noqa: E402
from dump_activations import record  # noqa: E402


class Stack(nn.Module):
    """What the names of a dump must handle: a module that runs twice, one without a weight, a tuple, a bare parameter."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm, self.relu = nn.Linear(4, 4), nn.LayerNorm(4), nn.ReLU()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        x = self.relu(self.linear(self.norm(self.linear(x))))
        return {"out": self.attention(x, x, x)[0] * self.scale + torch.rand(4)}


def header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


def main(folder):
    torch.manual_seed(5)
    network = DFormer("DFormer_Tiny").eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "layer_scale" in name:
                parameter.uniform_(0.3, 0.7)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-0.1, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    torch.save({"model": network.state_dict()}, folder / "network.pth")
    inputs = torch.randn(1, 3, 64, 96), torch.randn(1, 1, 64, 96)
    record(network, inputs, folder / "same.safetensors")
    with torch.no_grad():
        network.backbone.stages[2][1].attn.kv.weight[0, 0] += 1.0
    record(network, inputs, folder / "changed.safetensors")

    stack = Stack().eval()
    record(stack, (torch.ones(2, 3, 4),), folder / "stack.safetensors", names=("input.x",))
    names = list(header(folder / "stack.safetensors"))
    expected = ["__metadata__", "input.x", "linear.weight", "norm.weight", "linear.weight#2", "attention", "Stack",
                "logits", "input.rand.0"]
    if names != expected:
        sys.exit(f"expected {expected}, got {names}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
