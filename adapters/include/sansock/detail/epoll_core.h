// What an EpollLoop has to do that does not depend on its handler type: the epoll descriptor, the
// listeners with their back-off, the mailbox, the wait.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "sansock/detail/accept_pause.h"
#include "sansock/loop.h"
#include "sansock/mailbox.h"
#include "sansock/socket.h"
#include "sansock/timer_queue.h"

namespace sansock::detail {

class EpollCore {
 public:
  using AcceptFunction = std::function<void(int fd)>;
  static constexpr std::uint32_t slot_of_mailbox = 0xFFFF'FFFF;
  static constexpr std::uint32_t slot_of_listeners = 0xFFFF'0000;  // and above: index of the listener
  static constexpr int events_per_turn = 256;
  static constexpr int accepts_per_turn = 64;

  std::error_code open();
  std::error_code listen(int fd, AcceptFunction accepted);
  void stop_accepting() noexcept;
  bool accepting() const noexcept { return !listeners_.empty(); }

  bool watch(int fd, std::uint32_t mask, std::uint32_t slot, std::uint32_t serial) noexcept;
  void rewatch(int fd, std::uint32_t mask, std::uint32_t slot, std::uint32_t serial) noexcept;

  // Waits at most `wait_max`, until `deadline`, or until accepting may be tried again.
  std::span<const epoll_event> wait(Duration wait_max, Instant deadline, Instant now);
  // Accepts from a listener that is ready. `room`: how many more connections are allowed.
  void accept_from(std::uint32_t slot, unsigned room, Instant now, LoopCounters& counters);
  // Takes listening up again where it was suspended: the back-off has passed, or descriptors or
  // connections have become free.
  void try_accepting_again(bool freed, bool room, Instant now) noexcept;

  Mailbox mailbox;
  LoopCounters counters;
  TimerQueue timers;

 private:
  struct Listener {
    Socket socket;
    std::shared_ptr<AcceptFunction> accepted;
  };
  void watch_listeners(bool on) noexcept;

  Socket epoll_;
  std::vector<Listener> listeners_;
  AcceptPause pause_;
  std::array<epoll_event, events_per_turn> events_{};
};

}  // namespace sansock::detail
