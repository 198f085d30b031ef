#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <dformer/core/error.hpp>

namespace dformer {

/// Makes items ahead of their use on threads of its own and hands them out in order. What an item is depends
/// on its index alone, so neither the number of threads nor their luck changes anything.
template <class Item>
class OrderedPrefetch {
 public:
  using Make = std::function<Item(std::size_t index)>;

  /// Items `first` … `last` - 1. `make` is called from `workers` threads at once, at most `ahead` items
  /// before the one that is asked for; without workers it is called by `next`.
  OrderedPrefetch(std::size_t first, std::size_t last, int workers, std::size_t ahead, Make make)
      : next_(first), claimed_(first), last_(last), ahead_(ahead < 1 ? 1 : ahead), make_(std::move(make)) {
    threads_.reserve(static_cast<std::size_t>(workers < 0 ? 0 : workers));
    try {
      for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // Fewer threads make the same items; without any, the caller does.
    }
  }
  OrderedPrefetch(const OrderedPrefetch&) = delete;
  OrderedPrefetch& operator=(const OrderedPrefetch&) = delete;
  ~OrderedPrefetch() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  bool has_next() const { return next_ < last_; }

  /// The next item. Throws: what `make` threw for it; ArgumentError when there is none.
  Item next() {
    if (!has_next())
      throw_argument_error("[OrderedPrefetch] all " + std::to_string(last_) + " items were handed out");
    if (threads_.empty()) return make_(next_++);
    Made made;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return made_.contains(next_); });
      made = std::move(made_.extract(next_).mapped());
      ++next_;
    }
    room_.notify_all();
    if (made.error) std::rethrow_exception(made.error);
    return std::move(*made.item);
  }

 private:
  struct Made {
    std::optional<Item> item;
    std::exception_ptr error;
  };

  void work() {
    for (;;) {
      std::size_t index = 0;
      {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return stopped_ || claimed_ >= last_ || claimed_ < next_ + ahead_; });
        if (stopped_ || claimed_ >= last_) return;
        index = claimed_++;
      }
      Made made;
      try {
        made.item.emplace(make_(index));
      } catch (...) {
        made.error = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        made_.emplace(index, std::move(made));
      }
      arrived_.notify_one();
    }
  }

  std::size_t next_;
  std::size_t claimed_;
  std::size_t last_;
  std::size_t ahead_;
  Make make_;
  bool stopped_ = false;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable arrived_;
  std::map<std::size_t, Made> made_;
  std::vector<std::thread> threads_;
};

}  // namespace dformer
