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

#include "sansock/kernels.h"
#include "sansock/memory.h"
#include "sansock/types.h"

namespace sansock::detail {

struct OutBlock;
struct OutSegment;

class OutQueue {
 public:
  OutQueue() = default;
  OutQueue(const OutQueue&) = delete;
  OutQueue& operator=(const OutQueue&) = delete;

  // Bytes that are queued and not yet consumed.
  std::uint32_t size() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }

  // Makes room for one append of `size` bytes of our own, at most frame_header_max +
  // control_payload_max of them contiguous, and `views` borrowed or shared segments behind them, so
  // that the calls below can not fail. false: the pool has too few blocks; nothing changed.
  bool reserve(BlockPool& pool, std::size_t size, unsigned views = 0) noexcept;
  // Gives back what reserve() acquired and the appends did not need.
  void settle(BlockPool& pool) noexcept;

  // Appends `size` contiguous bytes of our own, to be filled by the caller at once.
  std::byte* append_contiguous(BlockPool& pool, std::size_t size) noexcept;
  void append(BlockPool& pool, ConstBytes bytes) noexcept;
  void append_masked(BlockPool& pool, ConstBytes bytes, MaskKey key, const Kernels& kernels) noexcept;
  void append_borrowed(BlockPool& pool, Bytes bytes, std::uint64_t token) noexcept;
  void append_shared(BlockPool& pool, SharedFrame& frame) noexcept;

  // The last frame when no block can be had: at most 8 bytes, kept inline. Nothing may follow it.
  void append_inline(ConstBytes bytes) noexcept;

  // Cuts the newest `size` bytes off again, which were appended contiguously. Possible while
  // gather() has not offered them.
  bool can_take_back(std::size_t size) const noexcept;
  void take_back(std::size_t size) noexcept;

  // True if the transport took less than gather() offered, until it takes all of it.
  bool stalled() const noexcept { return stalled_; }

  std::size_t gather(std::span<IoSlice> slices) noexcept;
  void consume(BlockPool& pool, std::size_t written) noexcept;

  // Takes one sent borrowed segment; false if there is none. After abandon(), unsent ones are
  // given too, with `complete` false.
  bool take_sent(BlockPool& pool, std::uint64_t& token, bool& complete) noexcept;

  // Drops everything unsent. Borrowed segments remain to be taken with take_sent().
  void abandon(BlockPool& pool) noexcept;
  // Drops everything; borrowed memory is the caller's again without an event.
  void clear(BlockPool& pool) noexcept;

 private:
  OutSegment* append_node(BlockPool& pool) noexcept;
  bool tail_grows(std::size_t block_size) const noexcept;
  OutSegment& grow(BlockPool& pool, std::size_t size_min, std::size_t& room) noexcept;
  void added(OutSegment& segment, std::size_t size) noexcept;
  void reap(BlockPool& pool) noexcept;
  void free_oldest(BlockPool& pool) noexcept;

  OutSegment* reap_ = nullptr;
  OutSegment* head_ = nullptr;
  OutSegment* tail_ = nullptr;
  OutBlock* spare_ = nullptr;    // blocks that reserve() acquired and append() has not used yet
  std::uint32_t bytes_ = 0;      // queued, not consumed
  std::uint32_t head_sent_ = 0;  // of the head segment, consumed
  std::uint32_t offered_ = 0;    // of bytes_, given out by gather()
  bool stalled_ = false;
  std::uint8_t inline_size_ = 0;
  std::uint8_t inline_sent_ = 0;
  std::array<std::byte, 8> inline_{};
};

}  // namespace sansock::detail
