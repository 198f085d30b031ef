#pragma once

#include <utility>

#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// Operations that were recorded once, to be started again as a whole: one call of the driver for all of
/// them. They read and write the memory that they were recorded with.
class Graph {
 public:
  Graph() = default;
  /// Records what `body` starts on the stream; none of it is done yet. It must not bring values from or to
  /// the host nor need memory that the device's pool has not kept. Throws: CudaError, and what `body` throws.
  template <class Body>
  Graph(Stream stream, const Body& body) {
    runtime::begin_capture(stream);
    try {
      body();
    } catch (...) {
      runtime::abandon_capture(stream);
      throw;
    }
    graph_ = runtime::end_capture(stream);
  }
  Graph(Graph&& other) noexcept : graph_(std::exchange(other.graph_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(graph_, other.graph_);
    return *this;
  }
  ~Graph() {
    if (graph_ != nullptr) runtime::destroy_graph(graph_);
  }

  void replay(Stream stream) const { runtime::replay(graph_, stream); }

 private:
  runtime::Graph graph_ = nullptr;
};

}  // namespace dformer::cuda
