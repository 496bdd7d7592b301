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

  // Makes room for `size` bytes of our own plus `nodes` views, so that the calls below can not
  // fail. false: the pool has too few blocks; nothing changed.
  bool reserve(BlockPool& pool, std::size_t size, unsigned nodes = 0) noexcept;

  // Appends bytes of our own; room must have been reserved. `append_contiguous` gives the place of
  // `size` <= frame_header_max + control_payload_max bytes to be filled by the caller.
  std::byte* append_contiguous(BlockPool& pool, std::size_t size) noexcept;
  void append(BlockPool& pool, ConstBytes bytes) noexcept;
  // The same for a payload that is to be masked. Returns the rotated key.
  std::uint32_t append_masked(BlockPool& pool, ConstBytes bytes, std::uint32_t key) noexcept;
  void append_borrowed(BlockPool& pool, Bytes bytes, std::uint64_t token) noexcept;
  void append_shared(BlockPool& pool, SharedFrame& frame) noexcept;

  // The last frame when no block can be had: at most 8 bytes, kept inline. Nothing may follow it.
  void append_inline(ConstBytes bytes) noexcept;

  // Cuts the newest `size` bytes off again. Only right after appending them contiguously, and only
  // while can_take_back(size).
  void take_back(std::size_t size) noexcept;
  bool can_take_back(std::size_t size) const noexcept;

  // True if gather() offered bytes that consume() did not take: the transport is stalled.
  bool stalled() const noexcept { return stalled_; }

  std::size_t gather(std::span<IoSlice> slices) noexcept;
  void consume(BlockPool& pool, std::size_t written) noexcept;

  // Takes one sent borrowed segment; false if there is none. After abandon(), unsent ones are
  // given too, with `complete` false.
  bool take_sent(BlockPool& pool, std::uint64_t& token, bool& complete) noexcept;
  bool sent_waiting() const noexcept { return reap_ != head_; }

  // Drops everything unsent. Borrowed segments remain to be taken with take_sent().
  void abandon(BlockPool& pool) noexcept;
  // Drops everything; borrowed memory is the caller's again without an event.
  void clear(BlockPool& pool) noexcept;

 private:
  OutSegment* append_node(BlockPool& pool, unsigned kind) noexcept;
  OutSegment* writable_tail(BlockPool& pool, std::size_t size_min) noexcept;
  OutSegment* fillable_tail(BlockPool& pool) noexcept;
  void reap(BlockPool& pool, bool over_borrowed) noexcept;
  void free_node(BlockPool& pool, OutSegment* node) noexcept;

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
