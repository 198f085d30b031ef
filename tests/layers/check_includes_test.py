"""Small include trees, right and wrong, through scripts/check_includes.py (whose folder is the first argument)."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(sys.argv.pop(1)) / "check_includes.py"


def run(headers):
    """The check's exit code and output on a tree of these headers: path below dformer/ -> what it includes."""
    with tempfile.TemporaryDirectory() as folder:
        for path, includes in headers.items():
            header = pathlib.Path(folder, "dformer", path)
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_text("#pragma once\n" + "".join(f"#include {name}\n" for name in includes))
        result = subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr


class CheckIncludes(unittest.TestCase):
    def accept(self, headers):
        self.assertEqual(run(headers), (0, ""))

    def reject(self, headers, *words):
        code, output = run(headers)
        self.assertEqual(code, 1, output)
        for word in words:
            self.assertIn(word, output)

    def test_downward_and_sideways(self):
        self.accept({"nn/linear.hpp": ["<vector>", "<dformer/core/shape.hpp>", "<dformer/nn/parameter.hpp>"]})

    def test_upward(self):
        self.reject({"nn/linear.hpp": ["<dformer/blocks/mlp.hpp>"]}, "dformer/nn/linear.hpp:2", "blocks comes after nn")

    def test_umbrella_may_include_everything(self):
        self.accept({"dformer.hpp": ["<dformer/viz/palette.hpp>", "<opencv2/core.hpp>"]})

    def test_nobody_includes_an_umbrella(self):
        self.reject({"viz/palette.hpp": ["<dformer/dformer.hpp>"]}, "umbrella")

    def test_forward_declarations_are_for_all(self):
        self.accept({"core/dtype.hpp": ["<dformer/fwd.hpp>", "<dformer/version.hpp>"]})

    def test_devices_are_named_nowhere(self):
        self.reject({"models/zoo.hpp": ["<dformer/backend/cpu/cpu.hpp>"]}, "only umbrella headers name cpu")
        self.reject({"backend/count/count.hpp": ["<dformer/backend/cpu/cpu.hpp>"]}, "only umbrella headers name cpu")
        self.accept({"backend/cpu/linear.hpp": ["<dformer/backend/cpu/tensor.hpp>", "<dformer/backend/concept.hpp>"]})
        self.accept({"models/cost.hpp": ["<dformer/backend/count/count.hpp>"]})

    def test_checkpoints_know_no_network(self):
        self.reject({"io/load.hpp": ["<dformer/models/zoo.hpp>"]}, "io may only know")
        self.accept({"io/load.hpp": ["<dformer/nn/visit.hpp>", "<zlib.h>", "<sys/mman.h>"]})

    def test_third_party_headers_keep_to_their_folders(self):
        self.reject({"nn/image.hpp": ["<opencv2/core.hpp>"]}, "opencv2")
        self.reject({"models/zoo.hpp": ["<zlib.h>"]}, "zlib.h")
        self.reject({"nn/mapped.hpp": ["<sys/mman.h>"]}, "operating system")
        self.reject({"backend/cpu/linear.hpp": ["<Eigen/Core>"]}, "no folder is listed")

    def test_protobuf_is_for_sources_alone(self):
        self.accept({"io/onnx_writer.inl": ["<onnx/onnx_pb.h>"]})
        self.reject({"io/onnx_writer.hpp": ["<onnx/onnx_pb.h>"]}, "no header may know onnx")
        self.reject({"backend/onnx/graph.inl": ["<onnx/onnx_pb.h>"]}, "only io may know onnx")

    def test_quotes_and_unknown_folders(self):
        self.reject({"nn/linear.hpp": ['"parameter.hpp"']}, "write <dformer/...>")
        self.reject({"utils/misc.hpp": []}, "utils is not in the list of layers")

    def test_kernel_sources_count(self):
        self.reject({"backend/cpu/kernels/all.inl": ["<dformer/nn/linear.hpp>"]}, "nn comes after backend")

    def test_a_header_is_guarded(self):
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder, "dformer", "core", "shape.hpp")
            header.parent.mkdir(parents=True)
            header.write_text("struct Shape;\n")
            result = subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True)
            self.assertEqual(result.returncode, 1)
            self.assertIn("no #pragma once", result.stdout)


if __name__ == "__main__":
    unittest.main()
