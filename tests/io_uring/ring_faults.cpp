#include "ring_faults.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

#include "sansock/detail/uring_completion.h"

namespace ring_faults {
namespace {

using sansock::detail::UringOp;
using sansock::detail::UringTag;

constexpr std::uint32_t nop_inject_result = 1u << 0;  // Linux 6.10; not in the header of liburing 2.3

struct State {
  Plan plan;
  Refusals refusals;
  CallPlan calls;
  std::function<void(io_uring&)> completed;
  std::array<unsigned, static_cast<std::size_t>(Operation::count_)> uses{};
  unsigned calls_made = 0;
  unsigned setups = 0;
  unsigned tail_seen = 0;  // submissions up to here were decided about
  io_uring* ring_seen = nullptr;
  // What a shortened sendmsg points to until the kernel has taken it.
  std::deque<msghdr> messages;
  std::deque<iovec> slices;
};
thread_local State* active = nullptr;

Operation operation_of(const io_uring_sqe& sqe) {
  const UringOp asked = UringTag(sqe.user_data).op();
  const bool large = asked == UringOp::receive_large;
  switch (sqe.opcode) {
    case IORING_OP_RECV: return large ? Operation::receive_large : Operation::receive;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_SEND_ZC:
    case IORING_OP_SENDMSG_ZC: return Operation::send;
    case IORING_OP_ACCEPT: return Operation::accept;
    case IORING_OP_POLL_ADD:
      return asked == UringOp::readable ? Operation::readable
             : sqe.poll32_events == 0   ? Operation::watch
                                        : Operation::mailbox;
    case IORING_OP_ASYNC_CANCEL: return Operation::cancel;
    case IORING_OP_CLOSE: return Operation::close;
    default: return Operation::other;
  }
}

void fail(io_uring_sqe& sqe, int error) {
  const std::uint64_t tag = sqe.user_data;
  io_uring_prep_nop(&sqe);
  sqe.user_data = tag;
  sqe.rw_flags = static_cast<int>(nop_inject_result);
  sqe.len = static_cast<std::uint32_t>(-error);
}

void shorten(io_uring_sqe& sqe, std::size_t size_max, State& state) {
  if (sqe.opcode == IORING_OP_SEND || sqe.opcode == IORING_OP_SEND_ZC) {
    sqe.len = static_cast<std::uint32_t>(std::min<std::size_t>(sqe.len, size_max));
    return;
  }
  const auto* const whole = reinterpret_cast<const msghdr*>(sqe.addr);
  // The first slice alone: it does for a send that falls short.
  iovec& slice = state.slices.emplace_back(whole->msg_iov[0]);
  slice.iov_len = std::min(slice.iov_len, size_max);
  msghdr& message = state.messages.emplace_back(*whole);
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  sqe.addr = reinterpret_cast<std::uint64_t>(&message);
}

// What an older kernel would answer EINVAL to, and a socket without zero-copy sends EOPNOTSUPP.
int refused(const io_uring_sqe& sqe, const Refusals& refusals) {
  const bool zero_copy = sqe.opcode == IORING_OP_SEND_ZC || sqe.opcode == IORING_OP_SENDMSG_ZC;
  if (refusals.zero_copy && zero_copy) return EOPNOTSUPP;
  if (refusals.receive_multishot && sqe.opcode == IORING_OP_RECV && sqe.ioprio != 0) return EINVAL;
  if (refusals.accept_multishot && sqe.opcode == IORING_OP_ACCEPT && sqe.ioprio != 0) return EINVAL;
  return 0;
}

// Decides once about each submission that waits to be handed over.
void rewrite(io_uring& ring) {
  State& state = *active;
  if (state.ring_seen != &ring) {
    state.ring_seen = &ring;
    state.tail_seen = ring.sq.sqe_head;
  }
  for (; state.tail_seen != ring.sq.sqe_tail; ++state.tail_seen) {
    io_uring_sqe& sqe = ring.sq.sqes[state.tail_seen & ring.sq.ring_mask];
    if (const int error = refused(sqe, state.refusals); error != 0) {
      fail(sqe, error);
      continue;
    }
    const Operation operation = operation_of(sqe);
    const unsigned nth = ++state.uses[static_cast<std::size_t>(operation)];
    if (!state.plan) continue;
    const Fault fault = state.plan(operation, nth);
    if (fault.error != 0) {
      fail(sqe, fault.error);
    } else if (fault.size_max != SIZE_MAX && operation == Operation::send) {
      shorten(sqe, fault.size_max, state);
    }
  }
}

// What comes before a call: 0, or what it is to give without being made.
int before(io_uring* ring) {
  if (active == nullptr) return 0;
  if (active->calls) {
    if (const int error = active->calls(++active->calls_made); error != 0) return -error;
  }
  rewrite(*ring);
  return 0;
}

void after_wait(io_uring* ring) {
  if (active != nullptr && active->completed) active->completed(*ring);
}

bool try_to_fail() {
  io_uring ring;
  if (io_uring_queue_init(2, &ring, 0) != 0) return false;
  io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
  sqe->user_data = 1;
  fail(*sqe, ENOBUFS);
  io_uring_cqe* cqe = nullptr;
  const bool can =
      io_uring_submit_and_wait(&ring, 1) == 1 && io_uring_peek_cqe(&ring, &cqe) == 0 && cqe->res == -ENOBUFS;
  io_uring_queue_exit(&ring);
  return can;
}

}  // namespace

Injection::Injection(Plan plan, Refusals refusals) {
  active = new State;
  active->plan = std::move(plan);
  active->refusals = std::move(refusals);
}
Injection::~Injection() {
  delete active;
  active = nullptr;
}
void Injection::plan(Plan plan) { active->plan = std::move(plan); }
void Injection::calls(CallPlan plan) { active->calls = std::move(plan); }
void Injection::completed(std::function<void(io_uring&)> look) { active->completed = std::move(look); }
unsigned Injection::uses(Operation operation) const {
  return active->uses[static_cast<std::size_t>(operation)];
}
unsigned Injection::setups() const { return active->setups; }

bool errors_possible() {
  static const bool possible = try_to_fail();
  return possible;
}

}  // namespace ring_faults

using ring_faults::active;
using ring_faults::after_wait;
using ring_faults::before;

// NOLINTBEGIN: the names are the linker's.
extern "C" {

int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params);
int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* params) {
  if (active != nullptr) {
    ++active->setups;
    const auto& refusals = active->refusals;
    if (refusals.setup != 0) return -refusals.setup;
    if ((params->flags & refusals.setup_flags) != 0) return -EINVAL;
    entries = std::min(entries, refusals.submissions_max);
    params->cq_entries = std::min(params->cq_entries, refusals.completions_max);
  }
  return __real_io_uring_queue_init_params(entries, ring, params);
}

int __real_io_uring_register_buf_ring(io_uring* ring, io_uring_buf_reg* registration, unsigned flags);
int __wrap_io_uring_register_buf_ring(io_uring* ring, io_uring_buf_reg* registration, unsigned flags) {
  if (active != nullptr && active->refusals.buffer_ring != 0) return -active->refusals.buffer_ring;
  return __real_io_uring_register_buf_ring(ring, registration, flags);
}

int __real_io_uring_register_files_sparse(io_uring* ring, unsigned count);
int __wrap_io_uring_register_files_sparse(io_uring* ring, unsigned count) {
  if (active != nullptr && active->refusals.table != 0) return -active->refusals.table;
  return __real_io_uring_register_files_sparse(ring, count);
}

io_uring_probe* __real_io_uring_get_probe_ring(io_uring* ring);
io_uring_probe* __wrap_io_uring_get_probe_ring(io_uring* ring) {
  if (active == nullptr) return __real_io_uring_get_probe_ring(ring);
  if (active->refusals.probe) return nullptr;
  io_uring_probe* const probe = __real_io_uring_get_probe_ring(ring);
  if (probe == nullptr) return nullptr;
  for (int operation : active->refusals.operations) {
    if (operation < probe->ops_len) probe->ops[operation].flags = 0;
  }
  return probe;
}

int __real_io_uring_submit(io_uring* ring);
int __wrap_io_uring_submit(io_uring* ring) {
  const int result = before(ring);
  return result != 0 ? result : __real_io_uring_submit(ring);
}

int __real_io_uring_submit_and_get_events(io_uring* ring);
int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  int result = before(ring);
  if (result == 0) result = __real_io_uring_submit_and_get_events(ring);
  after_wait(ring);
  return result;
}

int __real_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** cqe, unsigned count,
                                            __kernel_timespec* timeout, sigset_t* mask);
int __wrap_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** cqe, unsigned count,
                                            __kernel_timespec* timeout, sigset_t* mask) {
  int result = before(ring);
  if (result == 0) result = __real_io_uring_submit_and_wait_timeout(ring, cqe, count, timeout, mask);
  after_wait(ring);
  return result;
}
}
// NOLINTEND
