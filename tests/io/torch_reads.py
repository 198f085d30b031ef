"""What real PyTorch reads in a file of torch.save, for comparison with what was written.

usage: torch_reads.py tree FILE …     prints one line for every value: its path, its type, and the value
                                      (for a tensor its element type, shape, and the SHA-1 of its bytes)
       torch_reads.py same FILE FILE  exits with 1 unless both hold the same state dict, bit for bit
       torch_reads.py equal FILE FILE the same, in whatever order the names stand
       torch_reads.py optimizer FILE  loads `optimizer` into torch.optim.AdamW and takes a step
"""
import ctypes
import hashlib
import sys
import warnings

warnings.filterwarnings("ignore")
import torch  # noqa: E402


def load(path):
    return torch.load(path, map_location="cpu", weights_only=True)


def content(tensor):
    tensor = tensor.contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size()) if tensor.numel() else b""


def show(value, path):
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        shape = ",".join(str(extent) for extent in value.shape)
        print(f"{path} tensor {dtype} ({shape}) {hashlib.sha1(content(value)).hexdigest()}")
    elif isinstance(value, dict):
        print(f"{path} dict {len(value)}")
        for key, entry in value.items():
            show(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        print(f"{path} {type(value).__name__} {len(value)}")
        for i, entry in enumerate(value):
            show(entry, f"{path}.{i}" if path else str(i))
    else:
        print(f"{path} {type(value).__name__} {value!r}")


def state_dict(value):
    while "model" in value or "state_dict" in value:
        value = value.get("model", value.get("state_dict"))
    return value


def same(first, second, order=list):
    a, b = state_dict(load(first)), state_dict(load(second))
    if order(a) != order(b):
        sys.exit(f"{first} and {second} have other names, or another order of them")
    for name, tensor in a.items():
        other = b[name]
        if tensor.dtype != other.dtype or tensor.shape != other.shape or content(tensor) != content(other):
            sys.exit(f"{name} differs: {tensor.dtype} {tuple(tensor.shape)}, {other.dtype} {tuple(other.shape)}")
    print(f"{len(a)} tensors are the same")


def optimizer(path):
    checkpoint = load(path)
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(checkpoint["model"])
    groups = [{"params": [model.weight]}, {"params": [model.bias]}]
    adam = torch.optim.AdamW(groups)
    adam.load_state_dict(checkpoint["optimizer"])
    model(torch.ones(1, 3)).sum().backward()
    adam.step()
    state = adam.state_dict()
    print([group["lr"] for group in state["param_groups"]], [float(s["step"]) for s in state["state"].values()])


if __name__ == "__main__":
    command, files = sys.argv[1], sys.argv[2:]
    if command == "tree":
        for file in files:
            show(load(file), "")
    elif command == "same":
        same(*files)
    elif command == "equal":
        same(*files, order=sorted)
    else:
        optimizer(files[0])
