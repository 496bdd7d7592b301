// The set-up asks for the best first. What each flag is for, and since which kernel:
//   SINGLE_ISSUER   6.0   one thread submits, so the kernel takes fewer locks
//   DEFER_TASKRUN   6.1   completions are worked off when this thread waits, never in between
//   COOP_TASKRUN    5.19  no interrupt of this thread where DEFER_TASKRUN is not to be had
//   SUBMIT_ALL      5.18  one bad submission does not hold up those behind it
//   R_DISABLED      5.10  the ring may be made by another thread than the one that will use it
#include "ring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace sansock::detail {
namespace {

constexpr unsigned always = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;

constexpr unsigned wishes[] = {
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
        IORING_SETUP_DEFER_TASKRUN,
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER,
    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN,
    IORING_SETUP_SUBMIT_ALL,
    0,
};

// What the adapter can not do without: no completion is dropped, memory that a submission points to
// may change once it was handed over, and a wait takes a timeout with it.
constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;

static_assert(sizeof(UringCompletion) == sizeof(io_uring_cqe) &&
              alignof(UringCompletion) == alignof(io_uring_cqe) &&
              offsetof(UringCompletion, result) == offsetof(io_uring_cqe, res) &&
              offsetof(UringCompletion, flags) == offsetof(io_uring_cqe, flags));
static_assert(UringCompletion::flag_buffer == IORING_CQE_F_BUFFER &&
              UringCompletion::flag_more == IORING_CQE_F_MORE &&
              UringCompletion::flag_socket_filled == IORING_CQE_F_SOCK_NONEMPTY &&
              UringCompletion::flag_notification == IORING_CQE_F_NOTIF &&
              UringCompletion::buffer_shift == IORING_CQE_BUFFER_SHIFT);

UringCompletion completion_of(const io_uring_cqe& cqe) noexcept {
  UringCompletion completion;
  std::memcpy(static_cast<void*>(&completion), &cqe, sizeof completion);
  return completion;
}

std::error_code system_error(int error) noexcept { return {error, std::system_category()}; }

}  // namespace

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

std::error_code Ring::open(unsigned submissions_max, unsigned completions_max, bool one_thread) {
  assert(!open_);
  int result = -EINVAL;
  for (const unsigned wish : wishes) {
    if (!one_thread && (wish & IORING_SETUP_SINGLE_ISSUER) != 0) continue;
    io_uring_params params{};
    params.flags = always | wish;
    params.cq_entries = completions_max;
    result = io_uring_queue_init_params(submissions_max, &ring_, &params);
    if (result != -EINVAL) break;  // that refuses flags; anything else would not get better
  }
  if (result < 0) return system_error(-result);
  open_ = true;
  if ((ring_.features & needed) != needed) return system_error(ENOSYS);
  probe();
  return {};
}

void Ring::probe() noexcept {
  io_uring_probe* const found = io_uring_get_probe_ring(&ring_);
  if (found == nullptr) return;
  for (int op = 0; op < static_cast<int>(supported_.size()); ++op) {
    supported_[static_cast<std::size_t>(op)] = io_uring_opcode_supported(found, op) != 0;
  }
  io_uring_free_probe(found);
}

bool Ring::supports(int operation) const noexcept { return supported_[static_cast<std::size_t>(operation)]; }

// io_uring_enable_rings() is in the header of liburing 2.3, and missing from its shared library.
bool Ring::enable() noexcept {
  if (!enabled_) {
    enabled_ = syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) == 0;
  }
  return enabled_;
}

io_uring_sqe* Ring::next_after_submit() noexcept {
  submit();
  return io_uring_get_sqe(&ring_);
}

bool Ring::cancel(UringTag tag) noexcept {
  io_uring_sqe* const sqe = next();
  if (sqe == nullptr) return false;
  io_uring_prep_cancel64(sqe, tag.word(), 0);
  sqe->user_data = UringTag().word();
  return true;
}

bool Ring::close_direct(int index) noexcept {
  io_uring_sqe* const sqe = next();
  if (sqe == nullptr) return false;
  io_uring_prep_close_direct(sqe, static_cast<unsigned>(index));
  sqe->user_data = UringTag().word();
  return true;
}

void Ring::submit() noexcept {
  if (!prepared() || !enable()) return;
  ++enters;
  const int count = io_uring_submit(&ring_);
  if (count > 0) submissions += static_cast<unsigned>(count);
}

std::span<const UringCompletion> Ring::wait(Duration wait_max) noexcept {
  if (!enable()) return {};
  ++enters;
  submissions += io_uring_sq_ready(&ring_);
  if (wait_max == Duration::zero()) {
    io_uring_submit_and_get_events(&ring_);
  } else {
    // Rounded up, or the last part of a millisecond would be turned through without a rest.
    const auto ns =
        std::chrono::ceil<std::chrono::nanoseconds>(std::min<Duration>(wait_max, std::chrono::hours(24)));
    __kernel_timespec timeout{.tv_sec = ns.count() / 1'000'000'000, .tv_nsec = ns.count() % 1'000'000'000};
    io_uring_cqe* first = nullptr;
    // ETIME and EINTR are turns without completions; the caller looks at its flags and at the time.
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, wait_max == no_timeout ? nullptr : &timeout, nullptr);
  }
  const unsigned head = *ring_.cq.khead;
  const unsigned count = std::min(io_uring_cq_ready(&ring_), batch_max);
  const unsigned begin = head & ring_.cq.ring_mask;
  const unsigned first = std::min(count, ring_.cq.ring_entries - begin);  // up to the end of the ring
  void* const batch = batch_.data();
  std::memcpy(batch, ring_.cq.cqes + begin, first * sizeof(UringCompletion));
  std::memcpy(static_cast<std::byte*>(batch) + first * sizeof(UringCompletion), ring_.cq.cqes,
              (count - first) * sizeof(UringCompletion));
  io_uring_cq_advance(&ring_, count);
  return std::span(batch_).first(count);
}

std::span<const UringCompletion> Ring::submit_and_take(UringOp op,
                                                       std::span<UringCompletion> completions) noexcept {
  unsigned position = io_uring_smp_load_acquire(ring_.cq.ktail);
  submit();
  const unsigned end = io_uring_smp_load_acquire(ring_.cq.ktail);
  std::size_t count = 0;
  for (; position != end && count < completions.size(); ++position) {
    io_uring_cqe& cqe = ring_.cq.cqes[position & ring_.cq.ring_mask];
    if (UringTag(cqe.user_data).op() != op) continue;
    completions[count++] = completion_of(cqe);
    cqe.user_data = UringTag().word();  // to be ignored when its turn comes
  }
  return completions.first(count);
}

}  // namespace sansock::detail
