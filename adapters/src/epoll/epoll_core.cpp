#include "sansock/detail/epoll_core.h"

#include <algorithm>
#include <cerrno>
#include <climits>

#include "accept_error.h"
#include "sansock/detail/stream_io.h"

namespace sansock::detail {
namespace {

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

epoll_event make_event(std::uint32_t mask, std::uint32_t slot, std::uint32_t serial) noexcept {
  epoll_event event{};
  event.events = mask;
  event.data.u64 = std::uint64_t{serial} << 32 | slot;
  return event;
}

}  // namespace

std::error_code EpollCore::open() {
  epoll_ = Socket(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return last_error();
  if (const auto error = mailbox.open()) return error;
  return watch(mailbox.fd(), EPOLLIN, slot_of_mailbox, 0) ? std::error_code{} : last_error();
}

std::error_code EpollCore::listen(int fd, AcceptFunction accepted) {
  Socket socket(fd);
  const auto slot = slot_of_listeners + static_cast<std::uint32_t>(listeners_.size());
  listeners_.push_back({std::move(socket), std::make_shared<AcceptFunction>(std::move(accepted))});
  if (watch(fd, EPOLLIN, slot, 0)) return {};
  const auto error = last_error();
  listeners_.pop_back();
  return error;
}

void EpollCore::stop_accepting() noexcept {
  listeners_.clear();
  pause_.end();
}

bool EpollCore::watch(int fd, std::uint32_t mask, std::uint32_t slot, std::uint32_t serial) noexcept {
  epoll_event event = make_event(mask, slot, serial);
  return epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollCore::rewatch(int fd, std::uint32_t mask, std::uint32_t slot, std::uint32_t serial) noexcept {
  epoll_event event = make_event(mask, slot, serial);
  epoll_ctl(epoll_.fd(), EPOLL_CTL_MOD, fd, &event);
}

std::span<const epoll_event> EpollCore::wait(Duration wait_max, Instant deadline, Instant now) {
  ++counters.turns;
  const Instant first = std::min(deadline, pause_.until());
  int timeout = -1;
  if (first != never || wait_max != no_timeout) {
    const Duration left =
        first == never ? wait_max : std::min(wait_max, std::max(first - now, Duration::zero()));
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(ms, 0, INT_MAX));
  }
  const int count = epoll_wait(epoll_.fd(), events_.data(), events_per_turn, timeout);
  // EINTR is a turn without events: the caller looks at its flags, which a signal may have set.
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

void EpollCore::accept_from(std::uint32_t slot, unsigned room, Instant now, LoopCounters& count) {
  const std::size_t index = slot - slot_of_listeners;
  if (index >= listeners_.size()) return;
  // It may stop accepting or add listeners, so it must not live in the list alone.
  const std::shared_ptr<AcceptFunction> accepted = listeners_[index].accepted;
  int failed = 0;
  for (int i = 0; i < accepts_per_turn; ++i) {
    if (index >= listeners_.size()) return;  // accepting was stopped by what was accepted
    if (room == 0) {
      pause_.begin_full();
      return watch_listeners(false);
    }
    const int fd = accept_nonblocking(listeners_[index].socket.fd());
    if (fd < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (is_of_connection(errno) && ++failed < accepts_per_turn) continue;
      ++count.accept_backoffs;
      pause_.begin_back_off(now);
      return watch_listeners(false);
    }
    --room;
    ++count.accepted;
    (*accepted)(fd);
  }
}

void EpollCore::try_accepting_again(bool freed, bool room, Instant now) noexcept {
  if (pause_.ends(freed, room, now)) watch_listeners(true);
}

void EpollCore::watch_listeners(bool on) noexcept {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    rewatch(listeners_[i].socket.fd(), on ? EPOLLIN : 0u, slot_of_listeners + static_cast<std::uint32_t>(i),
            0);
  }
}

}  // namespace sansock::detail
