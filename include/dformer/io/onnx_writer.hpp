#pragma once

#include <filesystem>

#include <dformer/backend/onnx/graph.hpp>

namespace dformer {

/// Writes a graph as an ONNX model, with all its initializers inside. The file appears complete or not at
/// all. Compiled in `dformer::onnx`, which knows protobuf; no header does.
/// Throws: ArgumentError for a model of 2 GB or more, which protobuf cannot hold; FileError.
void write_onnx(const onnx::Graph& graph, const std::filesystem::path& path);

}  // namespace dformer
