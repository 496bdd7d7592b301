#include "sansock/slab_block_pool.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <set>
#include <vector>

namespace {

using sansock::SlabBlockPool;

constexpr std::size_t size = SlabBlockPool::size_of_block;

TEST(SlabBlockPool, HandsOutDistinctAlignedBlocksUpToItsLimit) {
  SlabBlockPool pool(100 * size);
  std::set<std::byte*> blocks;
  for (int i = 0; i < 100; ++i) {
    std::byte* const block = pool.acquire();
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u);
    std::memset(block, 0xAB, size);
    EXPECT_TRUE(blocks.insert(block).second);
  }
  EXPECT_EQ(pool.acquire(), nullptr);
  EXPECT_EQ(pool.in_use(), 100u);
  for (std::byte* const block : blocks) pool.release(block);
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(pool.in_use_peak(), 100u);
  std::byte* const again = pool.acquire();
  EXPECT_NE(again, nullptr);
  pool.release(again);
}

// After a burst only the warm blocks keep their pages.
TEST(SlabBlockPool, GivesPagesBackAfterABurst) {
  constexpr std::size_t warm_max = 8;
  SlabBlockPool pool(1000 * size, warm_max);
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 500; ++i) {
    blocks.push_back(pool.acquire());
    std::memset(blocks.back(), 1, size);
  }
  for (std::byte* const block : blocks) pool.release(block);
  std::size_t resident = 0;
  for (std::byte* const block : blocks) {
    unsigned char pages[size / 4096];
    ASSERT_EQ(mincore(block, size, pages), 0);
    for (const unsigned char page : pages) resident += page & 1;
  }
  EXPECT_LE(resident, warm_max * size / 4096);
  EXPECT_EQ(pool.warm(), warm_max);
}

}  // namespace
