"""What every module of a PyTorch network gives, as a safetensors file that `dformer_parity --compare` reads.

Needs PyTorch and nothing else. In a program of your own, with this file's folder on PYTHONPATH:

    from dump_activations import record
    record(model.eval(), (rgb, depth), "dump.safetensors")     # rgb [N, 3, H, W], depth [N, 1 or 3, H, W]

or from a shell, with a function that makes the network, of a module in the current folder or on PYTHONPATH:

    python3 dump_activations.py my_models:make_network --checkpoint net.pth --size 64x96 --out dump.safetensors

Every module that has parameters of its own is recorded, in the order of computation. If one of them is `weight`, its
output has the name of that weight in the checkpoint ("backbone.stages.0.0.mlp.fc1.weight"), else the module's path. A
module that runs again has "#2", "#3" ... behind its name; of an output of several tensors the first is taken. Arrays
keep PyTorch's own order of axes. The inputs are recorded as `input.rgb` and `input.depth`, the last output as
`logits`, and what torch.rand gives during the run as `input.rand.0`, `input.rand.1` ..., so that the other side can start from
the same random numbers.
"""
import argparse
import ctypes
import importlib
import json
import os
import re
import struct
import sys

import torch

DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
          torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
          torch.uint8: "U8", torch.bool: "BOOL"}


def write_safetensors(path, tensors, metadata):
    """Eight bytes of header length, a JSON header, then the arrays one behind the other."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    aside = f"{path}.{os.getpid()}.tmp"
    with open(aside, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            size = tensor.numel() * tensor.element_size()
            file.write(ctypes.string_at(tensor.data_ptr(), size) if size else b"")
    os.replace(aside, path)


def first_tensor(output):
    """The tensor that a module gave: itself, or the first of a tuple, a list or a dict; None where there is none."""
    if isinstance(output, torch.Tensor):
        return output
    parts = output.values() if isinstance(output, dict) else output if isinstance(output, (tuple, list)) else ()
    return next((found for found in map(first_tensor, parts) if found is not None), None)


def activation_name(path, module):
    own = dict(module.named_parameters(recurse=False))
    if not own:
        return None
    return (f"{path}.weight" if path else "weight") if "weight" in own else path or type(module).__name__


@torch.no_grad()
def activations(network, inputs):
    """Runs the network; a dict of what its modules gave and of the random numbers that were drawn."""
    seen, runs, drawn = {}, {}, []

    def keep(name):
        def hook(_module, _inputs, output):
            tensor = first_tensor(output)
            if tensor is None:
                return
            runs[name] = runs.get(name, 0) + 1
            seen[name if runs[name] == 1 else f"{name}#{runs[name]}"] = tensor.clone()
        return hook

    def rand(*args, **kwargs):
        drawn.append(original_rand(*args, **kwargs))
        return drawn[-1].clone()

    named = ((activation_name(path, module), module) for path, module in network.named_modules())
    hooks = [module.register_forward_hook(keep(name)) for name, module in named if name is not None]
    original_rand, torch.rand = torch.rand, rand
    try:
        output = first_tensor(network(*inputs))
    finally:
        torch.rand = original_rand
        for hook in hooks:
            hook.remove()
    if output is not None:
        seen["logits"] = output
    return seen | {f"input.rand.{i}": tensor for i, tensor in enumerate(drawn)}


def record(network, inputs, path, names=("input.rgb", "input.depth")):
    """Writes the inputs under `names`, and what every module makes of them."""
    tensors = {names[i] if i < len(names) else f"input.{i}": tensor for i, tensor in enumerate(inputs)}
    tensors |= activations(network, inputs)
    write_safetensors(path, tensors, {"format": "dformer-activations-1", "framework": f"torch {torch.__version__}",
                                      "model": type(network).__name__})
    return list(tensors)


def network_function(parser, text):
    """That of "MODULE:FUNCTION"; ends the program where there is none."""
    module_name, _, function_name = text.partition(":")
    if not module_name or not function_name:
        parser.error(f"MODULE:FUNCTION expected, such as my_models:make_network, got '{text}'")
    sys.path.insert(0, os.getcwd())  # as python -m does; python FILE has only the folder of FILE
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise  # a module that this one needs
        parser.error(f"no module '{error.name}' in {os.getcwd()} or on PYTHONPATH; run this in the folder of its file")
    function = getattr(module, function_name, None)
    if not callable(function):
        parser.error(f"the module '{module_name}' ({getattr(module, '__file__', 'built in')}) has no function "
                     f"'{function_name}'")
    return function


def size(word):
    if not re.fullmatch("[1-9][0-9]*x[1-9][0-9]*", word):
        raise argparse.ArgumentTypeError(f"HEIGHTxWIDTH expected, such as 480x640, got '{word}'")
    return tuple(map(int, word.split("x")))


def main():
    parser = argparse.ArgumentParser(description="Records what every module of a PyTorch network gives.")
    parser.add_argument("network", metavar="MODULE:FUNCTION", help="a function that makes the network")
    parser.add_argument("arguments", nargs="*", help="texts to call it with")
    parser.add_argument("--checkpoint", help="a file of torch.save to load strictly; `model` or `state_dict` in it")
    parser.add_argument("--size", type=size, default=(64, 96), metavar="HEIGHTxWIDTH", help="of the random inputs")
    parser.add_argument("--depth-channels", type=int, default=1, choices=(1, 3))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    network = network_function(parser, options.network)(*options.arguments).eval()
    if options.checkpoint:
        state = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
        network.load_state_dict(state.get("model", state.get("state_dict", state)))
    torch.manual_seed(options.seed)
    rgb = torch.randn(1, 3, *options.size)
    depth = torch.randn(1, 1, *options.size).repeat(1, options.depth_channels, 1, 1)
    names = record(network, (rgb, depth), options.out)
    print(f"{len(names)} arrays in {options.out}")


if __name__ == "__main__":
    main()
