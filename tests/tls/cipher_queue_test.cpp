#include "cipher_queue.h"

#include <array>
#include <string>

#include "test_pool.h"

namespace sansock::test {
namespace {

using testing::TestPool;

constexpr std::size_t block_size = 1024;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 >> 2);
  return text;
}

// Without taking it.
std::string content(const CipherQueue& queue) {
  std::array<IoSlice, 64> slices;
  std::string text;
  for (const IoSlice& slice : std::span(slices).first(queue.gather(slices))) {
    EXPECT_NE(slice.size, 0u);
    text.append(static_cast<const char*>(slice.base), slice.size);
  }
  return text;
}

TEST(CipherQueue_, KeepsWhatIsAppendedInOrder) {
  TestPool pool(block_size);
  CipherQueue queue(pool);
  const std::string all = pattern(10'000);
  for (std::size_t at = 0, size = 0; at < all.size(); at += size, size = size * 2 + 1) {
    ASSERT_TRUE(queue.append(as_bytes(std::string_view(all).substr(at, size))));
    size = std::min(size, all.size() - at);
    EXPECT_EQ(queue.size(), at + size);
  }
  EXPECT_EQ(content(queue), all);
}

TEST(CipherQueue_, GivesBlocksBackAsTheyAreConsumed) {
  for (const std::size_t step : {1u, 3u, 700u, 1000u, 5000u}) {
    TestPool pool(block_size);
    CipherQueue queue(pool);
    std::string all = pattern(5000);
    ASSERT_TRUE(queue.append(as_bytes(all)));
    std::size_t live = pool.live();
    while (!all.empty()) {
      const std::size_t taken = std::min(step, all.size());
      queue.consume(taken);
      all.erase(0, taken);
      EXPECT_LE(pool.live(), live);
      live = pool.live();
      ASSERT_EQ(queue.size(), all.size());
      ASSERT_EQ(content(queue), all);
    }
    EXPECT_EQ(pool.live(), 0u);
  }
}

TEST(CipherQueue_, TakesMoreBehindWhatIsPartlyConsumed) {
  TestPool pool(block_size);
  CipherQueue queue(pool);
  const std::string all = pattern(20'000);
  std::string seen;
  for (std::size_t at = 0; at < all.size(); at += 100) {
    ASSERT_TRUE(queue.append(as_bytes(std::string_view(all).substr(at, 100))));
    seen += content(queue).substr(0, 90);
    queue.consume(90);
  }
  seen += content(queue);
  EXPECT_EQ(seen, all);
}

TEST(CipherQueue_, ReservesWhatThereIs) {
  TestPool pool(block_size);
  CipherQueue queue(pool);
  pool.set_limit(3);
  EXPECT_EQ(queue.reserve(4 * block_size), 3 * queue.block_capacity());
  EXPECT_EQ(queue.size(), 0u);
  queue.clear();
  EXPECT_EQ(pool.live(), 0u);
  EXPECT_EQ(queue.reserve(2 * block_size), 2 * block_size);
  EXPECT_EQ(pool.live(), 3u);  // the blocks' heads take room too
  EXPECT_EQ(queue.reserve(2 * block_size), 2 * block_size);
  EXPECT_EQ(pool.live(), 3u);  // they are there already
  const std::string all = pattern(2 * block_size);
  ASSERT_TRUE(queue.append(as_bytes(all)));
  EXPECT_EQ(pool.live(), 3u);
  EXPECT_EQ(content(queue), all);
  queue.consume(all.size());
  EXPECT_EQ(pool.live(), 0u);
}

// What was reserved and not needed goes back with the last byte.
TEST(CipherQueue_, GivesBackWhatWasReservedForNothing) {
  TestPool pool(block_size);
  CipherQueue queue(pool);
  ASSERT_EQ(queue.reserve(3000), 3000u);
  ASSERT_TRUE(queue.append(as_bytes("few")));
  queue.consume(3);
  EXPECT_EQ(pool.live(), 0u);
  ASSERT_EQ(queue.reserve(3000), 3000u);
  queue.consume(0);
  EXPECT_EQ(pool.live(), 0u);
  ASSERT_EQ(queue.reserve(3000), 3000u);  // and in the end
}

TEST(CipherQueue_, UsesTheHeapWhereThePoolHasNothing) {
  const std::string all = pattern(10'000);
  for (std::size_t limit = 0; limit < 12; ++limit) {
    TestPool pool(block_size, limit);
    CipherQueue queue(pool);
    ASSERT_TRUE(queue.append(as_bytes(all)));
    EXPECT_EQ(pool.live(), std::min<std::size_t>(limit, 10));
    EXPECT_EQ(content(queue), all);
    queue.consume(5000);
    EXPECT_EQ(content(queue), all.substr(5000));
    queue.clear();
    EXPECT_EQ(queue.size(), 0u);
  }
}

TEST(CipherQueue_, GathersNoMoreThanThereIsRoomFor) {
  TestPool pool(block_size);
  CipherQueue queue(pool);
  ASSERT_TRUE(queue.append(as_bytes(pattern(10'000))));
  std::array<IoSlice, 3> slices;
  EXPECT_EQ(queue.gather(slices), 3u);
  EXPECT_EQ(queue.gather({}), 0u);
}

}  // namespace
}  // namespace sansock::test
