// The output queue against a queue of single bytes.
#include "sansock/detail/out_queue.h"

#include <deque>
#include <list>
#include <random>

#include "frames.h"
#include "test_pool.h"

namespace sansock::testing {
namespace {

using detail::OutQueue;
using detail::SpareBlocks;

struct CountedFrame : SharedFrame {
  explicit CountedFrame(Data encoded) : memory(std::move(encoded)) {
    bytes = view_of(memory);
    destroy = [](SharedFrame*) noexcept {};
  }
  Data memory;
};

// A queue and its model, driven by a seed.
class Driven {
 public:
  Driven(std::size_t block_size, unsigned seed) : pool_(block_size), random_(seed) {}
  ~Driven() { queue_.clear(pool_); }

  void step() {
    switch (random_() % 14) {
      case 0:
      case 1: return append(random_() % 300);
      case 2: return append(random_() % 9000);
      case 3: return append_contiguous(random_() % (frame_header_max + control_payload_max + 1));
      case 4: return append_masked(random_() % 3000);
      case 5: return append_borrowed(random_() % 2000);
      case 6: return append_shared(random_() % 2000);
      case 7: return take_back();
      case 8: return abandon();
      case 9: return append_whole(random_() % 200);
      case 10: return append_whole(random_() % 3000);
      default: return consume(random_() % 3 == 0 ? random_() % 10 : random_() % 5000);
    }
  }
  void finish() {
    while (!model_.empty()) consume(1 + random_() % 4000);
    take_sent();
    EXPECT_EQ(lent_.size(), 0u);
    EXPECT_EQ(pool_.live(), 0u) << "an empty queue holds no block";
    for (const CountedFrame& frame : frames_) EXPECT_EQ(frame.references.load(), 1u);
  }

 private:
  Data fresh(std::size_t size) { return noise(size, static_cast<std::uint32_t>(random_())); }
  void expect(const Data& bytes) {
    model_.insert(model_.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(queue_.size(), model_.size());
  }
  void append(std::size_t size) {
    const Data bytes = fresh(size);
    SpareBlocks spare(pool_);
    ASSERT_TRUE(queue_.reserve(spare, size));
    queue_.append(spare, view_of(bytes));
    expect(bytes);
    newest_offered_ = true;
  }
  void append_contiguous(std::size_t size) {
    const Data bytes = fresh(size);
    SpareBlocks spare(pool_);
    ASSERT_TRUE(queue_.reserve(spare, size));
    std::byte* const out = queue_.append_contiguous(spare, size);
    if (size != 0) std::memcpy(out, bytes.data(), size);
    expect(bytes);
    newest_ = size;
    newest_offered_ = size == 0;
  }
  void append_whole(std::size_t size) {
    const Data bytes = fresh(size + 1);
    std::byte* const out = queue_.append_whole(pool_, bytes.size());
    if (out == nullptr) return;
    std::memcpy(out, bytes.data(), bytes.size());
    expect(bytes);
    newest_ = bytes.size();
    newest_offered_ = false;
  }
  void append_masked(std::size_t size) {
    const Data bytes = fresh(size);
    const Data key = fresh(4);
    SpareBlocks spare(pool_);
    ASSERT_TRUE(queue_.reserve(spare, size));
    queue_.append_masked(spare, view_of(bytes), MaskKey::from_wire(view_of(key).data()), best_kernels());
    Data masked = bytes;
    for (std::size_t i = 0; i < size; ++i) masked[i] ^= key[i % 4];
    expect(masked);
    newest_offered_ = true;
  }
  void append_borrowed(std::size_t size) {
    memory_.push_back(fresh(size));
    const Data header = fresh(5);
    SpareBlocks spare(pool_);
    ASSERT_TRUE(queue_.reserve(spare, header.size(), 1));
    queue_.append(spare, view_of(header));
    queue_.append_borrowed(spare, std::as_writable_bytes(std::span(memory_.back())), token_);
    lent_.push_back(token_++);
    expect(header + memory_.back());
    newest_offered_ = true;
  }
  void append_shared(std::size_t size) {
    frames_.emplace_back(fresh(size + 1));
    SpareBlocks spare(pool_);
    ASSERT_TRUE(queue_.reserve(spare, 0, 1));
    queue_.append_shared(spare, frames_.back());
    expect(frames_.back().memory);
    newest_offered_ = true;
  }
  void take_back() {
    if (newest_offered_ || newest_ == 0 || model_.size() < newest_) return;
    ASSERT_TRUE(queue_.can_take_back(newest_));
    queue_.take_back(pool_, newest_);
    model_.resize(model_.size() - newest_);
    EXPECT_EQ(queue_.size(), model_.size());
    newest_offered_ = true;
  }
  void abandon() {
    if (random_() % 8 != 0) return;
    queue_.abandon(pool_);
    model_.clear();
    offered_ = 0;
    newest_offered_ = true;
    EXPECT_TRUE(queue_.empty());
    take_sent();
    EXPECT_EQ(lent_.size(), 0u) << "all that was lent comes back";
    EXPECT_EQ(pool_.live(), 0u);
  }
  void consume(std::size_t limit) {
    IoSlice slices[5];
    const std::size_t count = queue_.gather(std::span(slices).first(1 + random_() % 5));
    Data offered;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_NE(slices[i].size, 0u);
      offered = offered + bytes_of(ConstBytes(static_cast<std::byte*>(slices[i].base), slices[i].size));
    }
    ASSERT_LE(offered.size(), model_.size());
    ASSERT_TRUE(std::equal(offered.begin(), offered.end(), model_.begin()));
    ASSERT_EQ(offered.empty(), model_.empty());
    if (newest_ != 0 && offered.size() + newest_ > model_.size()) newest_offered_ = true;
    const std::size_t written = std::min(limit, offered.size());
    queue_.consume(pool_, written);
    model_.erase(model_.begin(), model_.begin() + static_cast<std::ptrdiff_t>(written));
    EXPECT_EQ(queue_.size(), model_.size());
    offered_ = std::max(offered_, offered.size()) - written;
    EXPECT_EQ(queue_.stalled(), offered_ != 0);
    if (random_() % 2 == 0) take_sent();
  }
  void take_sent() {
    std::uint64_t token = 0;
    bool complete = false;
    while (queue_.take_sent(pool_, token, complete)) {
      ASSERT_FALSE(lent_.empty());
      EXPECT_EQ(token, lent_.front()) << "in the order in which they were lent";
      lent_.pop_front();
    }
  }

  TestPool pool_;
  std::mt19937 random_;
  OutQueue queue_;
  std::deque<std::uint8_t> model_;
  std::list<Data> memory_;
  std::deque<std::uint64_t> lent_;
  std::list<CountedFrame> frames_;
  std::uint64_t token_ = 0;
  std::size_t offered_ = 0;  // given by gather() and not consumed
  std::size_t newest_ = 0;   // size of the newest contiguous append
  bool newest_offered_ = true;
};

bool can_reserve(OutQueue& queue, BlockPool& pool, std::size_t size, unsigned views) {
  SpareBlocks spare(pool);
  return queue.reserve(spare, size, views);
}

void append(OutQueue& queue, BlockPool& pool, const Data& bytes) {
  SpareBlocks spare(pool);
  ASSERT_TRUE(queue.reserve(spare, bytes.size()));
  queue.append(spare, view_of(bytes));
}

TEST(OutQueue, IsAQueueOfBytes) {
  for (const std::size_t block_size : {1024u, 1504u, 4096u, 65536u}) {
    for (unsigned seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE("block size " + std::to_string(block_size) + ", seed " + std::to_string(seed));
      Driven driven(block_size, seed);
      for (int i = 0; i < 150; ++i) driven.step();
      driven.finish();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(OutQueue, ReserveThatFailsChangesNothing) {
  for (const std::size_t size : {1u, 100u, 1000u, 5000u, 50'000u}) {
    for (std::size_t k = 1;; ++k) {
      TestPool pool(1024);
      OutQueue queue;
      const Data first = noise(700, 1);
      append(queue, pool, first);
      const std::size_t live = pool.live();
      pool.fail_at(k);
      const bool done = can_reserve(queue, pool, size, 1);
      const bool failed = pool.asked() >= k;
      pool.fail_never();
      EXPECT_EQ(done, !failed);
      if (failed) {
        EXPECT_EQ(pool.live(), live);
        EXPECT_EQ(queue.size(), 700u);
      }
      queue.clear(pool);
      EXPECT_EQ(pool.live(), 0u);
      if (!failed) break;
    }
  }
}

// What reserve() granted is enough, for every size around the block's and every filling before.
TEST(OutQueue, ReserveIsEnough) {
  for (std::size_t filled = 0; filled <= 1024; filled += 31) {
    for (std::size_t size = 0; size < 2300; size += 37) {
      TestPool pool(1024);
      OutQueue queue;
      append(queue, pool, noise(filled, 1));
      Data lent = noise(10, 1);
      SpareBlocks spare(pool);
      ASSERT_TRUE(queue.reserve(spare, size, 1));
      pool.set_limit(0);
      queue.append_contiguous(spare, std::min<std::size_t>(size, 139));
      if (size > 139) queue.append(spare, view_of(noise(size - 139, 2)));
      queue.append_borrowed(spare, std::as_writable_bytes(std::span(lent)), 1);
      EXPECT_EQ(queue.size(), filled + size + 10);
      queue.clear(pool);
    }
  }
}

// In one piece or not at all: to the last byte of the block that is there, or of a fresh one if nothing is
// queued.
TEST(OutQueue, AppendsWholeWhileABlockHasRoom) {
  constexpr std::size_t room = 1024 - sizeof(detail::OutBlock) - sizeof(detail::OutSegment);
  TestPool pool(1024);
  OutQueue queue;
  EXPECT_EQ(queue.append_whole(pool, room + 1), nullptr);
  EXPECT_EQ(pool.live(), 0u);
  pool.set_limit(0);
  EXPECT_EQ(queue.append_whole(pool, 1), nullptr);
  EXPECT_EQ(queue.size(), 0u);
  pool.set_limit(1);
  std::byte* const first = queue.append_whole(pool, 10);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(queue.append_whole(pool, room - 10 + 1), nullptr);
  EXPECT_EQ(queue.append_whole(pool, room - 10), first + 10);
  EXPECT_EQ(queue.append_whole(pool, 1), nullptr);
  EXPECT_EQ(queue.size(), room);
  IoSlice slices[2];
  EXPECT_EQ(queue.gather(slices), 1u);
  queue.consume(pool, room);
  EXPECT_EQ(pool.live(), 0u);
}

// What is behind a view can not grow into the bytes before it.
TEST(OutQueue, AppendsNothingWholeBehindAView) {
  TestPool pool(1024);
  OutQueue queue;
  Data lent = noise(10, 1);
  SpareBlocks spare(pool);
  ASSERT_TRUE(queue.reserve(spare, 0, 1));
  queue.append_borrowed(spare, std::as_writable_bytes(std::span(lent)), 1);
  EXPECT_EQ(queue.append_whole(pool, 1), nullptr);
  IoSlice slices[2];
  EXPECT_EQ(queue.gather(slices), 1u);
  queue.consume(pool, 10);
  EXPECT_TRUE(queue.empty() && queue.has_sent());
  EXPECT_EQ(queue.append_whole(pool, 1), nullptr) << "its block is still in use";
  queue.clear(pool);
}

TEST(OutQueue, InlineBytesComeLast) {
  TestPool pool(1024);
  OutQueue queue;
  append(queue, pool, Data{1, 2, 3});
  queue.append_inline(view_of(Data{4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(queue.size(), 11u);
  Data got;
  while (!queue.empty()) {
    IoSlice slice{};
    ASSERT_EQ(queue.gather({&slice, 1}), 1u);
    got.push_back(*static_cast<std::uint8_t*>(slice.base));
    queue.consume(pool, 1);
  }
  EXPECT_EQ(got, (Data{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(pool.live(), 0u);
}

// The memory of a slice stays where it is until consume() has passed it, whatever is queued behind.
TEST(OutQueue, GatheredMemoryIsStable) {
  TestPool pool(1024);
  OutQueue queue;
  append(queue, pool, noise(100, 1));
  IoSlice before{};
  ASSERT_EQ(queue.gather({&before, 1}), 1u);
  for (int i = 0; i < 50; ++i) {
    append(queue, pool, noise(100, 2));
  }
  EXPECT_EQ(bytes_of(ConstBytes(static_cast<std::byte*>(before.base), 100)), noise(100, 1));
  IoSlice again{};
  ASSERT_EQ(queue.gather({&again, 1}), 1u);
  EXPECT_EQ(again.base, before.base);
  queue.clear(pool);
}

TEST(OutQueue, WhatWasOfferedIsNotTakenBack) {
  TestPool pool(1024);
  OutQueue queue;
  const auto add = [&](std::size_t size) {
    SpareBlocks spare(pool);
    ASSERT_TRUE(queue.reserve(spare, size));
    std::memset(queue.append_contiguous(spare, size), 1, size);
  };
  add(10);
  add(6);
  EXPECT_TRUE(queue.can_take_back(6));
  IoSlice slices[4];
  queue.gather(slices);
  EXPECT_FALSE(queue.can_take_back(6));
  add(7);
  EXPECT_TRUE(queue.can_take_back(7));
  queue.take_back(pool, 7);
  EXPECT_EQ(queue.size(), 16u);
  queue.clear(pool);
}

}  // namespace
}  // namespace sansock::testing
