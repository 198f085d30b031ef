#include <atomic>
#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include <dformer/data/ordered_prefetch.hpp>

namespace dformer {
namespace {

TEST(OrderedPrefetch, HandsOutInOrderForAnyNumberOfWorkers) {
  for (int workers : {0, 1, 2, 5}) {
    OrderedPrefetch<std::unique_ptr<std::size_t>> items(3, 200, workers, 4, [](std::size_t index) {
      if (index % 7 == 0) std::this_thread::yield();
      return std::make_unique<std::size_t>(index * index);
    });
    for (std::size_t i = 3; i < 200; ++i) {
      ASSERT_TRUE(items.has_next());
      ASSERT_EQ(*items.next(), i * i) << workers << " workers";
    }
    EXPECT_FALSE(items.has_next());
  }
}

TEST(OrderedPrefetch, StaysWithinItsLead) {
  std::atomic<std::size_t> asked{0};
  std::atomic<std::size_t> lead{0};
  OrderedPrefetch<std::size_t> items(0, 500, 3, 4, [&](std::size_t index) {
    const std::size_t ahead = index - asked.load();
    if (ahead < 500 && ahead > lead.load()) lead = ahead;
    return index;
  });
  for (std::size_t i = 0; i < 500; ++i) {
    asked = i;
    ASSERT_EQ(items.next(), i);
  }
  EXPECT_LE(lead.load(), 5u);  // four ahead of an item that may just have been taken
}

TEST(OrderedPrefetch, ErrorsArriveInTheirPlace) {
  for (int workers : {0, 3}) {
    OrderedPrefetch<int> items(0, 10, workers, 8, [](std::size_t index) {
      if (index == 4) throw std::runtime_error("item 4");
      return static_cast<int>(index);
    });
    for (int i = 0; i < 4; ++i) EXPECT_EQ(items.next(), i);
    EXPECT_THROW(items.next(), std::runtime_error);
    EXPECT_EQ(items.next(), 5);
  }
}

TEST(OrderedPrefetch, MayBeLeftEarly) {
  OrderedPrefetch<int> items(0, 1000000, 4, 16, [](std::size_t index) { return static_cast<int>(index); });
  EXPECT_EQ(items.next(), 0);
}

}  // namespace
}  // namespace dformer
