#pragma once

#include <dformer/backend/cuda/device.hpp>
#include <dformer/backend/cuda/owned_event.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// A moment on a device's stream: reached when all that was started before it is done.
class Event {
 public:
  explicit Event(const Device& device) : stream_(device.stream()), event_(device.options().ordinal) {}

  void record() { runtime::record(event_.get(), stream_); }
  /// Waits for this event. Both must have been recorded.
  double milliseconds_since(const Event& earlier) const {
    return runtime::elapsed(earlier.event_.get(), event_.get());
  }

 private:
  Stream stream_;
  OwnedEvent event_;
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
