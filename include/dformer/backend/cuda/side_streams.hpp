#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <dformer/backend/cuda/library.hpp>
#include <dformer/backend/cuda/memory_pool.hpp>
#include <dformer/backend/cuda/owned_event.hpp>
#include <dformer/backend/cuda/owned_stream.hpp>
#include <dformer/backend/cuda/runtime.hpp>

namespace dformer::cuda {

/// The streams beside that of a device, on which parts of a computation go on side by side. Each has
/// libraries of its own, as their workspaces serve one call at a time.
class SideStreams {
 public:
  /// `options` are those of the device's own libraries.
  explicit SideStreams(library::ContextOptions options)
      : options_(std::move(options)), begin_(options_.ordinal) {}

  /// Whether parts go on side by side; otherwise run_all calls one after the other.
  bool side_by_side = false;

  /// What operations are started on now.
  Stream stream() const { return current_ == nullptr ? options_.stream : current_->stream.get(); }
  library::Context& libraries(library::Context& own) const {
    if (current_ == nullptr) return own;
    if (current_->libraries == nullptr) {
      library::ContextOptions options = options_;
      options.stream = current_->stream.get();
      current_->libraries.reset(library::create_context(options));
    }
    return *current_->libraries;
  }

  /// Calls the parts; what they start is started on streams of its own, the first part's on the device's. It
  /// begins when all that was started before is done, and what is started later waits for it. Parts of a part
  /// are called one after the other.
  template <class... Parts>
  void run_all(MemoryPool& memory, const Parts&... parts) {
    static_assert(sizeof...(Parts) > 0, "run_all: nothing was given to run");
    if (!side_by_side || running_) {
      (parts(), ...);
      return;
    }
    while (sides_.size() + 1 < sizeof...(parts)) sides_.push_back(std::make_unique<Side>(options_.ordinal));
    MemoryPool::Branches branches(memory);
    const Running running(*this);
    runtime::record(begin_.get(), options_.stream);
    std::size_t begun = 0;
    try {
      (run(branches, begun++, parts), ...);
    } catch (...) {
      try {
        wait_for_sides(begun);  // or their memory would be handed out again
      } catch (...) {           // where that fails too, it is the first error that says why
      }
      throw;
    }
    wait_for_sides(begun);
  }

 private:
  struct Side {
    explicit Side(int ordinal) : stream(ordinal), done(ordinal) {}
    OwnedStream stream;
    OwnedEvent done;
    library::OwnedContext libraries;  ///< made when they are first needed
  };
  /// While parts are called.
  class Running {
   public:
    explicit Running(SideStreams& streams) : streams_(streams) { streams.running_ = true; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      streams_.running_ = false;
      streams_.current_ = nullptr;
    }

   private:
    SideStreams& streams_;
  };

  template <class Part>
  void run(MemoryPool::Branches& branches, std::size_t number, const Part& part) {
    current_ = number == 0 ? nullptr : sides_[number - 1].get();
    if (current_ != nullptr) runtime::wait_for(current_->stream.get(), begin_.get());
    branches.begin();
    part();
  }
  /// The first of `parts` is on the device's own stream.
  void wait_for_sides(std::size_t parts) {
    for (std::size_t i = 0; i + 1 < parts; ++i) {
      runtime::record(sides_[i]->done.get(), sides_[i]->stream.get());
      runtime::wait_for(options_.stream, sides_[i]->done.get());
    }
  }

  library::ContextOptions options_;
  OwnedEvent begin_;
  std::vector<std::unique_ptr<Side>> sides_;
  Side* current_ = nullptr;
  bool running_ = false;
};

}  // namespace dformer::cuda
