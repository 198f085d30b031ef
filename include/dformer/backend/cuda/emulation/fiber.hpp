#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define DFORMER_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DFORMER_ADDRESS_SANITIZER
#endif
#endif
#if defined(DFORMER_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace dformer::cuda::emulation {

/// A function with a stack of its own, which can be left in the middle and entered again there. It must not
/// return; its stack goes with the object, wherever the function is.
class Fiber {
 public:
  explicit Fiber(std::function<void(Fiber&)> body) : body_(std::move(body)), stack_(take_stack()) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = stack_bytes;
    context_.uc_link = nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::start), 2, static_cast<unsigned>(address),
                static_cast<unsigned>(static_cast<std::uint64_t>(address) >> 32));
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { kept_stacks().push_back(std::move(stack_)); }

  /// Goes on with the function until it leaves.
  void enter() {
    running() = this;
    switch_to_fiber();
    running() = nullptr;
  }
  /// Within a fiber's function: back to who entered it.
  static void leave() { running()->switch_back(); }

 private:
  using Stack = std::unique_ptr<std::byte[]>;
  static constexpr std::size_t stack_bytes = std::size_t{128} << 10;

  /// Stacks of ended fibers: the kernel need not hand out and clear their pages again.
  static std::vector<Stack>& kept_stacks() {
    static std::vector<Stack> stacks;
    return stacks;
  }
  static Stack take_stack() {
    std::vector<Stack>& stacks = kept_stacks();
    if (stacks.empty()) return std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
    Stack stack = std::move(stacks.back());
    stacks.pop_back();
    return stack;
  }

  static Fiber*& running() {
    static Fiber* fiber = nullptr;
    return fiber;
  }
  static void start(unsigned low, unsigned high) {
    const std::uint64_t address = std::uint64_t{high} << 32 | low;
    Fiber* const fiber = reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>(address));
    fiber->arrived_on_fiber(nullptr);
    fiber->body_(*fiber);
  }

  // The address sanitizer must be told of every change of stacks.
#if defined(DFORMER_ADDRESS_SANITIZER)
  void switch_to_fiber() {
    void* own = nullptr;
    __sanitizer_start_switch_fiber(&own, stack_.get(), stack_bytes);
    swapcontext(&outside_, &context_);
    __sanitizer_finish_switch_fiber(own, nullptr, nullptr);
  }
  void switch_back() {
    void* own = nullptr;
    __sanitizer_start_switch_fiber(&own, outside_stack_, outside_bytes_);
    swapcontext(&context_, &outside_);
    arrived_on_fiber(own);
  }
  void arrived_on_fiber(void* own) {
    __sanitizer_finish_switch_fiber(own, &outside_stack_, &outside_bytes_);
  }
  const void* outside_stack_ = nullptr;
  std::size_t outside_bytes_ = 0;
#else
  void switch_to_fiber() {
    swapcontext(&outside_, &context_);
  }
  void switch_back() {
    swapcontext(&context_, &outside_);
  }
  void arrived_on_fiber(void*) {}
#endif

  std::function<void(Fiber&)> body_;
  Stack stack_;
  ucontext_t context_{};
  ucontext_t outside_{};
};

}  // namespace dformer::cuda::emulation
