// Where connections that receive much at a time receive into, and who waits for that: a few buffers that are
// used in turn, the one that was freed last first.
//
// With a ring of provided buffers one enter receives from all connections that have something, before any of
// it is answered; when that is much it has left the cache by then (bench/results/io_uring_16k.md). So such a
// connection is only watched, waits in a queue, and has a buffer no longer than a turn.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "sansock/detail/uring_completion.h"
#include "sansock/types.h"

namespace sansock::detail {

class LargeReads {
 public:
  // Fewer mean more system calls, more reach further than the cache does.
  static constexpr std::size_t buffers_max = 4;

  explicit LargeReads(std::size_t size) noexcept : size_(size) {}
  LargeReads(const LargeReads&) = delete;
  LargeReads& operator=(const LargeReads&) = delete;
  ~LargeReads();

  std::size_t size() const noexcept { return size_; }
  // Makes the buffers if there are none yet. false: no memory.
  bool open() noexcept;

  // Puts a connection at the end of the queue. false: no memory.
  bool queue(UringTag tag) noexcept;
  std::size_t queued() const noexcept { return queue_.size(); }
  // Takes the first off the queue if there is a buffer for it; a tag without an operation otherwise.
  UringTag next() noexcept;
  // A buffer for a receive of this tag; nullptr: all are in use.
  std::byte* take(UringTag tag) noexcept;
  // What was received, and the buffer's way back.
  Bytes received(UringTag tag, std::int32_t result) const noexcept;
  void recycle(UringTag tag) noexcept;

  // What was touched since the last trim().
  bool warm() const noexcept { return warm_; }
  // Gives the memory back to the kernel; it comes again when it is needed. Only while no receive is under
  // way.
  void trim() noexcept;

 private:
  struct Buffer {
    std::byte* memory = nullptr;
    UringTag user{};  // of the receive that is under way, or none
  };
  const Buffer& buffer_of(UringTag tag) const noexcept;

  std::size_t size_;
  std::array<Buffer, buffers_max> buffers_{};
  std::size_t used_ = 0;
  std::deque<UringTag> queue_;
  bool warm_ = false;
};

}  // namespace sansock::detail
