// The buffers that the kernel picks from when something arrives: a provided-buffer ring.
//
// The kernel takes buffers in the order in which they were posted, so a large ring would have each
// read land in memory that was not touched for long. As few are posted as are needed: more when the
// kernel runs out of them, fewer again when they were not used.
#pragma once

#include <liburing.h>

#include <algorithm>
#include <cassert>
#include <system_error>
#include <vector>

#include "sansock/detail/uring_completion.h"
#include "sansock/types.h"

namespace sansock::detail {

class ReceiveBuffers {
 public:
  static constexpr int group = 0;

  ReceiveBuffers() = default;
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;
  ~ReceiveBuffers();

  // `count` is a power of two, 4 to 32,768. The ring must outlive the buffers.
  std::error_code open(io_uring* ring, unsigned count, std::size_t size);

  // What a completion brought. The kernel has no claim to it until recycle().
  Bytes taken(std::uint16_t buffer, std::size_t size) noexcept {
    assert(buffer < count_ && size <= size_ && posted_ > 0);
    --posted_;
    size_mean_ += (static_cast<std::ptrdiff_t>(size) - size_mean_) / 16;
    posted_min_ = std::min(posted_min_, posted_);
    warm_ = true;
    return {memory_of(buffer), size};
  }
  void recycle(std::uint16_t buffer) noexcept {
    if (posted_ >= target_) [[unlikely]]
      return spare(buffer);
    post(buffer);
    if (++reads_ % look_again == 0) look();
  }
  // Both, of bytes that were looked at where they lie.
  void used(std::uint16_t buffer, std::size_t size) noexcept {
    taken(buffer, size);
    recycle(buffer);
  }
  std::byte* memory() const noexcept { return memory_; }
  std::size_t size() const noexcept { return size_; }
  // The kernel found none (ENOBUFS). There will be more of them, unless what they are filled with would
  // no longer fit a cache: to be asked again is cheaper than memory that is cold.
  void starved() noexcept;
  // Shows the kernel what was posted; once a turn, before it is asked for more. `quiet`: nothing has
  // happened for a while, and no read is under way.
  void publish(bool quiet) noexcept;

  // There may be memory to be given back.
  bool warm() const noexcept { return warm_; }
  unsigned posted() const noexcept { return posted_; }
  unsigned target() const noexcept { return target_; }

 private:
  static constexpr unsigned target_min = 4;
  // Reads after which the target is looked at again: at the memory, and at what was left over.
  static constexpr unsigned look_again = 64;
  static constexpr unsigned window = 4096;
  static_assert(window % look_again == 0);
  static constexpr std::size_t cache_size = 1u << 20;

  std::byte* memory_of(std::uint16_t buffer) const noexcept { return memory_ + buffer * size_; }
  void post(std::uint16_t buffer) noexcept {
    io_uring_buf_ring_add(shared_, memory_of(buffer), static_cast<unsigned>(size_), buffer,
                          io_uring_buf_ring_mask(count_), pending_++);
    ++posted_;
  }
  void spare(std::uint16_t buffer) noexcept;
  void look() noexcept;
  void shrink(unsigned target) noexcept;
  unsigned fitting() const noexcept;

  io_uring* ring_ = nullptr;
  io_uring_buf_ring* shared_ = nullptr;
  std::size_t shared_size_ = 0;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  unsigned count_ = 0;
  unsigned target_ = 0;           // how many are to be posted
  unsigned posted_ = 0;           // and how many are
  unsigned posted_min_ = 0;       // the fewest in this window
  unsigned reads_ = 0;            // of this window
  std::ptrdiff_t size_mean_ = 0;  // of what they were filled with, newest first
  int pending_ = 0;               // posted, and not yet shown to the kernel
  bool warm_ = false;
  std::vector<std::uint16_t> spare_;  // newest last: that is the one whose memory is warm
};

}  // namespace sansock::detail
