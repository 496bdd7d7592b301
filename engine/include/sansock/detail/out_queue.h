// The output of one connection: a queue of segments, oldest first.
//
// A segment is bytes of our own in a block, or a view of borrowed or shared memory. Its node lies
// in a block too, so that queueing allocates nothing but whole blocks; an empty queue holds none.
//
//   reap_            head_                      tail_
//     v                v                          v
//   [borrowed, sent] [owned 3/120 sent] [shared] [owned, grows]      -> nullptr
//
// Nodes in front of head_ are sent borrowed segments whose Event::sent was not taken yet.
#pragma once

#include <array>
#include <cstdint>
#include <new>

#include "sansock/kernels.h"
#include "sansock/memory.h"
#include "sansock/types.h"

namespace sansock::detail {

enum class SegmentKind : std::uint8_t { owned, borrowed, shared };

struct OutBlock {
  OutBlock* next = nullptr;  // in the list of spare blocks
  std::uint32_t size = 0;
  std::uint32_t used = 0;   // bytes from the block's start, this header included
  std::uint32_t nodes = 0;  // live nodes in it
};

struct OutSegment {
  OutSegment* next = nullptr;
  OutBlock* block = nullptr;  // where this node lies
  std::byte* base = nullptr;
  union {
    std::uint64_t token = 0;
    SharedFrame* frame;
  };
  std::uint32_t size = 0;
  SegmentKind kind = SegmentKind::owned;
  bool dropped = false;  // abandoned before all of it was sent
};

// Blocks for the appends to come, so that those can not fail. What they did not need goes back to the pool
// with this object.
class SpareBlocks {
 public:
  explicit SpareBlocks(BlockPool& pool) noexcept : pool_(pool) {}
  SpareBlocks(const SpareBlocks&) = delete;
  SpareBlocks& operator=(const SpareBlocks&) = delete;
  ~SpareBlocks() {
    if (newest_ != nullptr) release();
  }

 private:
  friend class OutQueue;
  bool acquire() noexcept;
  void release() noexcept;
  OutBlock* take() noexcept;

  BlockPool& pool_;
  OutBlock* newest_ = nullptr;
};

class OutQueue {
 public:
  OutQueue() = default;
  OutQueue(const OutQueue&) = delete;
  OutQueue& operator=(const OutQueue&) = delete;

  // Bytes that are queued and not yet consumed.
  std::uint32_t size() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }

  // Appends `size` bytes of our own in one piece, to be filled by the caller at once, if the newest block
  // has room for them. nullptr if not; nothing changed then.
  std::byte* append_behind(std::size_t size) noexcept {
    if (!tail_grows() || tail_->block->size - tail_->block->used < size) return nullptr;
    return added(*tail_, size);
  }
  // The same, and if fits_first(), in a block that the pool has at hand.
  std::byte* append_at_hand(BlockPool& pool, std::size_t size) noexcept {
    if (head_ != nullptr) return append_behind(size);
    if (tail_ != nullptr || !pool.at_hand() || size > pool.block_size_at_hand() - first_begin) return nullptr;
    return begin(pool.take_at_hand(), pool.block_size_at_hand(), size);
  }
  // The same in any block of the pool. nullptr also if it has none.
  std::byte* append_whole(BlockPool& pool, std::size_t size) noexcept {
    return head_ == nullptr ? append_first(pool, size) : append_behind(size);
  }

  // Whether nothing is queued, and a block can take so much.
  bool fits_first(const BlockPool& pool, std::size_t size) const noexcept {
    return tail_ == nullptr && size <= pool.block_size() - first_begin;
  }

  // Makes sure that there is room for one append of `size` bytes of our own, at most frame_header_max +
  // control_payload_max of them contiguous, and `views` borrowed or shared segments behind them, so
  // that the calls below can not fail. false: the pool has too few blocks; nothing changed.
  bool reserve(SpareBlocks& spare, std::size_t size, unsigned views = 0) noexcept;

  // Appends `size` contiguous bytes of our own, to be filled by the caller at once.
  std::byte* append_contiguous(SpareBlocks& spare, std::size_t size) noexcept;
  void append(SpareBlocks& spare, ConstBytes bytes) noexcept;
  void append_masked(SpareBlocks& spare, ConstBytes bytes, MaskKey key, const Kernels& kernels) noexcept;
  void append_borrowed(SpareBlocks& spare, Bytes bytes, std::uint64_t token) noexcept;
  void append_shared(SpareBlocks& spare, SharedFrame& frame) noexcept;

  // The last frame when no block can be had: at most 8 bytes, kept inline. Nothing may follow it.
  void append_inline(ConstBytes bytes) noexcept;

  // Cuts the newest `size` bytes off again, which were appended contiguously. Possible while
  // gather() has not offered them.
  bool can_take_back(std::size_t size) const noexcept;
  void take_back(BlockPool& pool, std::size_t size) noexcept;

  // True if the transport took less than gather() offered, until it takes all of it.
  bool stalled() const noexcept { return stalled_; }

  std::size_t gather(std::span<IoSlice> slices) noexcept {
    // One segment of our own, which is most often so.
    if (bytes_ == 0 || inline_size_ != 0 || head_ != tail_ || slices.empty()) return gather_any(slices);
    slices[0] = {head_->base + head_sent_, head_->size - head_sent_};
    offered_ = bytes_;
    return 1;
  }
  void consume(BlockPool& pool, std::size_t written) noexcept {
    if (written != bytes_ || !consume_first(pool)) consume_any(pool, written);
  }
  // All of it, if that is one segment of our own and was offered; its block goes back. Otherwise false.
  [[gnu::always_inline]] bool consume_first(BlockPool& pool) noexcept {
    if (!one_owned() || offered_ != bytes_) return false;
    release_first(pool);
    return true;
  }
  // What gather_first() gave, all of it, when nothing has happened since.
  [[gnu::always_inline]] void release_first(BlockPool& pool) noexcept {
    OutBlock* const block = tail_->block;
    reap_ = head_ = tail_ = nullptr;
    bytes_ = head_sent_ = offered_ = 0;
    stalled_ = false;
    pool.release_at_hand(reinterpret_cast<std::byte*>(block), block->used);
  }
  bool offered_all() const noexcept { return bytes_ != 0 && offered_ == bytes_; }

  // All of it, if that is one segment of our own. Otherwise false.
  bool gather_first(IoSlice& slice) noexcept {
    if (!one_owned()) return false;
    slice = {head_->base + head_sent_, head_->size - head_sent_};
    offered_ = bytes_;
    return true;
  }

  // Whether take_sent() would take one.
  bool has_sent() const noexcept { return reap_ != head_; }
  // Takes one sent borrowed segment; false if there is none. After abandon(), unsent ones are
  // given too, with `complete` false.
  bool take_sent(BlockPool& pool, std::uint64_t& token, bool& complete) noexcept;

  // Drops everything unsent. Borrowed segments remain to be taken with take_sent().
  void abandon(BlockPool& pool) noexcept;
  // Drops everything; borrowed memory is the caller's again without an event.
  void clear(BlockPool& pool) noexcept;

 private:
  std::size_t gather_any(std::span<IoSlice> slices) noexcept;
  void consume_any(BlockPool& pool, std::size_t written) noexcept;
  std::byte* append_first(BlockPool& pool, std::size_t size) noexcept {
    // A borrowed segment that is sent and not reported yet still keeps a block, which may have room.
    const std::size_t block_size = pool.block_size();
    if (tail_ != nullptr || size > block_size - first_begin) return nullptr;
    std::byte* const memory = pool.acquire();
    if (memory == nullptr) return nullptr;
    return begin(memory, block_size, size);
  }
  // The first segment, in a fresh block.
  std::byte* begin(std::byte* memory, std::size_t block_size, std::size_t size) noexcept {
    const auto used = static_cast<std::uint32_t>(first_begin + size);
    const auto size_32 = static_cast<std::uint32_t>(size);
    auto* const block = new (memory) OutBlock{nullptr, static_cast<std::uint32_t>(block_size), used, 1};
    auto* const node = new (memory + sizeof(OutBlock)) OutSegment{
        .next = nullptr, .block = block, .base = memory + first_begin, .token = 0, .size = size_32};
    reap_ = head_ = tail_ = node;
    head_sent_ = 0;
    bytes_ = size_32;
    return memory + first_begin;
  }
  OutSegment& append_node(SpareBlocks& spare) noexcept;
  OutSegment& append_node_in(OutBlock& block) noexcept;
  OutSegment& grow(SpareBlocks& spare, std::size_t size_min, std::size_t& room) noexcept;
  void reap(BlockPool& pool) noexcept;
  void free_oldest(BlockPool& pool) noexcept;

  bool one_owned() const noexcept {
    return tail_ != nullptr && head_ == tail_ && reap_ == tail_ && tail_->kind == SegmentKind::owned &&
           inline_size_ == 0;
  }
  // Whether the tail is an unsent segment of our own that ends where its block's free part begins.
  bool tail_grows() const noexcept {
    if (head_ == nullptr || tail_->kind != SegmentKind::owned) return false;
    return tail_->base + tail_->size == reinterpret_cast<const std::byte*>(tail_->block) + tail_->block->used;
  }
  // Returns where the added bytes begin.
  std::byte* added(OutSegment& segment, std::size_t size) noexcept {
    std::byte* const place = segment.base + segment.size;
    segment.size += static_cast<std::uint32_t>(size);
    segment.block->used += static_cast<std::uint32_t>(size);
    bytes_ += static_cast<std::uint32_t>(size);
    return place;
  }

  // Where the bytes of the first segment in a block begin.
  static constexpr std::size_t first_begin = sizeof(OutBlock) + sizeof(OutSegment);
  static_assert(sizeof(OutBlock) % alignof(OutSegment) == 0);

  OutSegment* reap_ = nullptr;
  OutSegment* head_ = nullptr;
  OutSegment* tail_ = nullptr;
  std::uint32_t bytes_ = 0;      // queued, not consumed
  std::uint32_t head_sent_ = 0;  // of the head segment, consumed
  std::uint32_t offered_ = 0;    // of bytes_, given out by gather()
  bool stalled_ = false;
  std::uint8_t inline_size_ = 0;
  std::uint8_t inline_sent_ = 0;
  std::array<std::byte, 8> inline_{};
};

}  // namespace sansock::detail
