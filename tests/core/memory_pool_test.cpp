#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <dformer/backend/cpu/memory_pool.hpp>

namespace dformer::cpu {
namespace {

TEST(MemoryPool, BlocksAreLargeEnoughAndAtMostAnEighthTooLarge) {
  MemoryPool pool;
  for (std::size_t bytes : {1u, 64u, 256u, 257u, 288u, 289u, 4095u, 4096u, 100000u, 1048577u}) {
    const MemoryPool::Block block = pool.allocate(bytes);
    EXPECT_GE(block.bytes, bytes);
    if (bytes > 256) {
      EXPECT_LE(block.bytes, bytes + bytes / 8 + 32);
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.memory) % MemoryPool::alignment, 0u);
    pool.release(block);
  }
}

TEST(MemoryPool, HandsOutFreedBlocksAgain) {
  MemoryPool pool;
  const MemoryPool::Block first = pool.allocate(1000);
  pool.release(first);
  const MemoryPool::Block again = pool.allocate(990);
  EXPECT_EQ(first.memory, again.memory);
  const MemoryPool::Block other = pool.allocate(990);
  EXPECT_NE(other.memory, again.memory);
  pool.release(again);
  pool.release(other);
}

TEST(MemoryPool, CountsWhatIsHeld) {
  MemoryPool pool;
  const MemoryPool::Block a = pool.allocate(256);
  const MemoryPool::Block b = pool.allocate(512);
  EXPECT_EQ(pool.use().in_use, 768u);
  pool.release(a);
  EXPECT_EQ(pool.use().in_use, 512u);
  EXPECT_EQ(pool.use().peak, 768u);
  EXPECT_EQ(pool.use().reserved, 768u);
  pool.reset_peak();
  EXPECT_EQ(pool.use().peak, 512u);
  pool.trim();
  EXPECT_EQ(pool.use().reserved, 512u);
  pool.release(b);
}

}  // namespace
}  // namespace dformer::cpu
