"""Asks onnx and ONNX Runtime about an exported model: prints what differs from what the test wrote beside it.

usage: runtime_agrees.py FOLDER    (model.onnx, pass.npz: inputs, expected output; parameters.npz: the checkpoint)
"""
import sys

import numpy
import onnx
import onnxruntime


def run(session, arrays, images):
    return session.run(None, {"rgb": arrays["rgb"][:images], "depth": arrays["depth"][:images]})[0]


def compare_outputs(path, arrays):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    print("output", session.get_outputs()[0].name)
    images = len(arrays["rgb"])
    for count in ([images, 1] if session.get_inputs()[0].shape[0] == "batch" else [images]):
        found, expected = run(session, arrays, count), arrays["expected"][:count]
        if found.shape != expected.shape:
            print(f"{count} images give {found.shape} where {expected.shape} is expected")
        elif found.dtype.kind == "i":
            print("labels that differ", numpy.mean(found != expected))
        else:
            print("relative difference", numpy.abs(found - expected).max() / numpy.abs(expected).max())


def compare_initializers(model, parameters):
    """Every initializer with the name of a parameter is that parameter, and none is left out but what the graph cannot
    hold or has computed: counters, and the angles that the rotary tables were made of."""
    initializers = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    for name, value in parameters.items():
        if name.endswith(("num_batches_tracked", "Geo.angle")):
            continue
        if name not in initializers:
            print("missing", name)
        elif initializers[name].ravel().tobytes() != value.ravel().tobytes():
            print("other values", name)
        elif [e for e in initializers[name].shape if e > 1] != [e for e in value.shape if e > 1]:
            print("another shape", name, initializers[name].shape, value.shape)


def main():
    folder = sys.argv[1]
    path = folder + "/model.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    used = {(node.domain, node.op_type) for node in model.graph.node}
    foreign = [op for domain, op in used if domain or not onnx.defs.has(op, domain)]
    if foreign:
        print("operators that are not standard", foreign)
    compare_initializers(model, numpy.load(folder + "/parameters.npz"))
    compare_outputs(path, numpy.load(folder + "/pass.npz"))


main()
