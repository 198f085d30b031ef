#pragma once

/// Export to ONNX: the backend that records networks, and the writer of its graphs. Link `dformer::onnx`.

#include <dformer/backend/onnx/onnx.hpp>
#include <dformer/io/onnx_writer.hpp>
#include <dformer/models/onnx_graph.hpp>
#include <dformer/models/zoo.hpp>
