#pragma once

#include <utility>

#include <dformer/backend/cuda/device.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// A moment on a device's stream: reached when all that was started before it is done.
class Event {
 public:
  explicit Event(const Device& device)
      : stream_(device.stream()), event_(runtime::create_event(device.options().ordinal)) {}
  Event(Event&& other) noexcept : stream_(other.stream_), event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(event_, other.event_);
    return *this;
  }
  ~Event() {
    if (event_ != nullptr) runtime::destroy_event(event_);
  }

  void record() { runtime::record(event_, stream_); }
  /// Waits for this event. Both must have been recorded.
  double milliseconds_since(const Event& earlier) const { return runtime::elapsed(earlier.event_, event_); }

 private:
  Stream stream_;
  runtime::Event event_;
};

/// What the device takes for what `body` starts on it, by its own clock. Waits for it.
template <class Body>
double device_milliseconds(const Device& device, const Body& body) {
  Event start(device), end(device);
  start.record();
  body();
  end.record();
  return end.milliseconds_since(start);
}

}  // namespace dformer::cuda
