// Theory of operation: each listener has one multishot accept under way. Where the last connection
// that is allowed was accepted, it is cancelled; what the kernel accepted until then waits here, as it
// would have waited in the backlog.
//
// Direct descriptors are entries of the ring's table. A full table would make the kernel drop a
// connection that it has accepted already, so accepting ends a reserve of entries earlier.
#include "uring_listeners.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "accept_error.h"
#include "sansock/detail/stream_io.h"

namespace sansock::detail {
namespace {

constexpr unsigned direct_reserve = 64;
constexpr unsigned failures_max = 64;  // one after the other

// Without memory for it, it stays as it is until the ring ends.
template <class T>
void note(std::vector<T>& list, T item) noexcept {
  try {
    list.push_back(item);
  } catch (const std::bad_alloc&) {
    return;
  }
}

}  // namespace

void UringListeners::open(Ring& ring, unsigned direct_max) noexcept {
  ring_ = &ring;
  direct_max_ = direct_max;
}

UringListeners::~UringListeners() {
  for (const Waiting& one : waiting_) {
    if (!one.socket.direct) close_descriptor(one.socket.number);  // direct ones end with the ring
  }
}

void UringListeners::listen(int fd, AcceptFunction accepted) {
  Socket socket(fd);
  listeners_.push_back({std::move(socket), std::make_shared<AcceptFunction>(std::move(accepted)),
                        ++last_serial_, State::idle});
}

void UringListeners::stop() noexcept {
  for (const Listener& listener : listeners_) {
    if (listener.state == State::armed && !cancel(listener.serial)) note(stopped_, listener.serial);
  }
  listeners_.clear();
  for (const Waiting& one : waiting_) close(one.socket);
  waiting_.clear();
  pause_.end();
}

bool UringListeners::arm() noexcept {
  std::erase_if(stopped_, [this](std::uint64_t serial) { return cancel(serial); });
  std::erase_if(closing_, [this](LoopSocket socket) { return ring_->close_direct(socket.number); });
  bool complete = stopped_.empty() && closing_.empty();
  if (pause_.active()) return cancel_all() && complete;
  for (Listener& listener : listeners_) {
    if (listener.state == State::idle && arm(listener)) listener.state = State::armed;
    complete = complete && listener.state != State::idle;
  }
  return complete;
}

bool UringListeners::arm(Listener& listener) noexcept {
  io_uring_sqe* const sqe = ring_->next();
  if (sqe == nullptr) return false;
  const int fd = listener.socket.fd();
  // A direct descriptor has no close-on-exec: no other process can have it.
  const int flags = direct_max_ != 0 ? 0 : SOCK_CLOEXEC;
  io_uring_prep_accept(sqe, fd, nullptr, nullptr, flags);
  if (multishot_) sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
  if (direct_max_ != 0) sqe->file_index = IORING_FILE_INDEX_ALLOC;
  sqe->user_data = UringTag(UringOp::accept, 0, listener.serial).word();
  ++under_way_;
  return true;
}

UringListeners::Listener* UringListeners::find(UringTag tag) noexcept {
  for (Listener& listener : listeners_) {
    if (static_cast<std::uint32_t>(listener.serial) == tag.serial()) return &listener;
  }
  return nullptr;
}

unsigned UringListeners::room_for(unsigned room) const noexcept {
  if (direct_max_ == 0) return room;
  const unsigned usable = direct_max_ - std::min(direct_max_, direct_reserve);
  return std::min(room, usable - std::min(usable, direct_used_));
}

void UringListeners::on_completion(const UringCompletion& completion, unsigned room, Instant now,
                                   LoopCounters& counters) {
  if (!completion.more()) --under_way_;
  Listener* const listener = find(completion.tag);
  if (listener != nullptr && !completion.more()) listener->state = State::idle;
  if (completion.result < 0) {
    if (listener != nullptr) on_error(*listener, -completion.result, now, counters);
    return;
  }
  const LoopSocket socket{completion.result, direct_max_ != 0};
  if (listener != nullptr) listener->failures = 0;
  room = room_for(room);
  direct_used_ += socket.direct ? 1 : 0;
  if (listener == nullptr) return close(socket);  // accepting was stopped meanwhile
  if (room == 0 || pause_.full() || !waiting_.empty()) {
    waiting_.push_back({listener->serial, socket});
  } else {
    hand_out(listener->serial, socket, counters);
    --room;
  }
  if (room == 0 && !pause_.full()) {
    pause_.begin_full();
    cancel_all();
  }
}

void UringListeners::on_error(Listener& listener, int error, Instant now, LoopCounters& counters) {
  if (listener.state != State::idle) return;
  if (error == EINVAL && multishot_) {
    multishot_ = false;  // older than 5.19: one at a time
    return;
  }
  // Of a connection that has gone: the next may be fine. Cancelled: where there was no room, or by a signal.
  // But not for ever: see EPERM of accept(2).
  const bool harmless = error == ECANCELED || error == EINTR || error == EAGAIN || is_of_connection(error);
  if (harmless && ++listener.failures < failures_max) return;
  listener.failures = 0;
  ++counters.accept_backoffs;
  pause_.begin_back_off(now);
  cancel_all();
}

// It may stop accepting or add listeners, so the function must not live in the list alone.
void UringListeners::hand_out(std::uint64_t serial, LoopSocket socket, LoopCounters& counters) {
  for (const Listener& listener : listeners_) {
    if (listener.serial != serial) continue;
    const std::shared_ptr<AcceptFunction> accepted = listener.accepted;
    ++counters.accepted;
    (*accepted)(socket);
    return;
  }
  close(socket);
}

void UringListeners::try_again(bool freed, unsigned room, Instant now, LoopCounters& counters) {
  // Accepting may be stopped by what is handed out, which closes all that waits.
  for (; !waiting_.empty() && room != 0; --room) {
    const Waiting one = waiting_.front();
    waiting_.pop_front();
    hand_out(one.serial, one.socket, counters);
  }
  pause_.ends(freed, room_for(room) != 0, now);
}

bool UringListeners::cancel(std::uint64_t serial) noexcept {
  return ring_->cancel(UringTag(UringOp::accept, 0, serial));
}

// false: not all of them; what is accepted all the same waits.
bool UringListeners::cancel_all() noexcept {
  bool complete = true;
  for (Listener& listener : listeners_) {
    if (listener.state != State::armed) continue;
    if (cancel(listener.serial)) {
      listener.state = State::cancelling;
    } else {
      complete = false;
    }
  }
  return complete;
}

void UringListeners::close(LoopSocket socket) noexcept {
  if (!socket.direct) return close_descriptor(socket.number);
  --direct_used_;
  if (!ring_->close_direct(socket.number)) note(closing_, socket);
}

}  // namespace sansock::detail
