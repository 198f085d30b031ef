#pragma once

namespace dformer {

/// Calls parts of a computation that need nothing of each other, one after the other, on this thread. A
/// backend that can do so lets what they start go on side by side, from what is done when they begin until
/// all are done; `on` is a tensor of the device that they run on.
template <class B, class... Parts>
void concurrently(const typename B::Tensor& on, const Parts&... parts) {
  if constexpr (requires { B::concurrently(on, parts...); }) {
    B::concurrently(on, parts...);
  } else {
    (parts(), ...);
  }
}

}  // namespace dformer
