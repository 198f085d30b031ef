#pragma once

namespace dformer {

/// Calls parts of a computation that need nothing of each other. A backend that can do so lets them go on
/// side by side, from what is done when they begin until all are done; `on` is a tensor of the device that
/// they run on. Others call one after the other.
template <class B, class... Parts>
void concurrently(const typename B::Tensor& on, const Parts&... parts) {
  if constexpr (requires { B::concurrently(on, parts...); }) {
    B::concurrently(on, parts...);
  } else {
    (parts(), ...);
  }
}

}  // namespace dformer
