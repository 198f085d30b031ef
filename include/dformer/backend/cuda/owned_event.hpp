#pragma once

#include <utility>

#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// A moment on a stream of a GPU, whichever it is recorded on.
class OwnedEvent {
 public:
  explicit OwnedEvent(int ordinal) : event_(runtime::create_event(ordinal)) {}
  OwnedEvent(OwnedEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  OwnedEvent& operator=(OwnedEvent&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  ~OwnedEvent() {
    if (event_ != nullptr) runtime::destroy_event(event_);
  }
  runtime::Event get() const { return event_; }

 private:
  runtime::Event event_;
};

}  // namespace dformer::cuda
