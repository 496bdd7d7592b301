// An io_uring of liburing, set up with as many of the wanted features as the kernel grants.
#pragma once

#include <liburing.h>

#include <array>
#include <span>
#include <system_error>

#include "sansock/detail/uring_completion.h"
#include "sansock/types.h"

namespace sansock::detail {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // How many of each may wait: submissions to be handed over, completions to be looked at. `one_thread`:
  // that which calls submit() or wait() first is the only one that ever will.
  std::error_code open(unsigned submissions_max, unsigned completions_max, bool one_thread);
  bool is_open() const noexcept { return open_; }

  // An empty submission. nullptr: the kernel takes none now, because completions wait to be taken.
  io_uring_sqe* next() noexcept {
    io_uring_sqe* const sqe = next_here();
    return sqe != nullptr ? sqe : next_after_submit();
  }
  // The same without making room for it. As io_uring_get_sqe(), for a ring of plain submissions that the
  // kernel only takes when it is asked to.
  io_uring_sqe* next_here() noexcept {
    io_uring_sq& sq = ring_.sq;
    const unsigned tail = sq.sqe_tail;
    if (tail - *sq.khead >= sq.ring_entries) [[unlikely]]
      return nullptr;
    sq.sqe_tail = tail + 1;
    return &sq.sqes[tail & sq.ring_mask];
  }
  // Prepares what completes with nothing that is looked at. false: the kernel takes none now.
  bool cancel(UringTag tag) noexcept;
  bool close_direct(int index) noexcept;
  // Hands over what was prepared.
  void submit() noexcept;
  // Hands over what was prepared, and waits for at least one completion: at most `wait_max`, or not
  // at all if that is zero.
  std::span<const UringCompletion> wait(Duration wait_max) noexcept;
  // Hands over what was prepared, and takes out of order what completed by that at once: only those
  // of `op`, as many as `completions` has room for.
  std::span<const UringCompletion> submit_and_take(UringOp op,
                                                   std::span<UringCompletion> completions) noexcept;

  bool prepared() noexcept { return io_uring_sq_ready(&ring_) != 0; }
  // Completions wait to be taken, here or behind those that fill the ring.
  bool completed() noexcept { return io_uring_cq_ready(&ring_) != 0 || io_uring_cq_has_overflow(&ring_); }
  // Completions come only when this thread asks for them.
  bool deferred() const noexcept { return (ring_.flags & IORING_SETUP_DEFER_TASKRUN) != 0; }
  bool supports(int operation) const noexcept;
  io_uring* get() noexcept { return &ring_; }

  std::uint64_t enters = 0;       // system calls made
  std::uint64_t submissions = 0;  // operations handed over

 private:
  static constexpr unsigned batch_max = 512;
  bool enable() noexcept;
  io_uring_sqe* next_after_submit() noexcept;
  void probe() noexcept;

  io_uring ring_{};
  bool open_ = false;
  bool enabled_ = false;
  std::array<bool, 256> supported_{};
  std::array<UringCompletion, batch_max> batch_;
};

}  // namespace sansock::detail
