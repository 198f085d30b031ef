#pragma once

#include <dformer/backend/cuda/runtime.hpp>
#include <dformer/backend/cuda/stream.hpp>

namespace dformer::cuda {

/// A stream of a GPU, destroyed with the object, which waits for it.
class OwnedStream {
 public:
  explicit OwnedStream(int ordinal) : ordinal_(ordinal), stream_(runtime::create_stream(ordinal)) {}
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  ~OwnedStream() { runtime::destroy_stream(ordinal_, stream_); }
  Stream get() const { return stream_; }

 private:
  int ordinal_;
  Stream stream_;
};

}  // namespace dformer::cuda
