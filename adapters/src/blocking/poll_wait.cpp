#include "sansock/detail/poll_wait.h"

#include <poll.h>

#include <algorithm>
#include <climits>

#include "sansock/clock.h"

namespace sansock::detail {

PollResult poll_wait(int mailbox, int fd, bool read, bool write, Duration wait_max,
                     Instant deadline) noexcept {
  pollfd waits[2] = {{mailbox, POLLIN, 0}, {fd, 0, 0}};
  waits[1].events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
  int timeout = -1;
  if (deadline != never || wait_max != no_timeout) {
    Duration left = wait_max;
    if (deadline != never) {
      left = deadline == at_once
                 ? Duration::zero()
                 : std::min(left, std::max(deadline - MonotonicClock::now(), Duration::zero()));
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(ms, 0, INT_MAX));
  }
  if (::poll(waits, fd < 0 ? 1 : 2, timeout) <= 0) return {};
  const bool failed = (waits[1].revents & (POLLERR | POLLNVAL)) != 0;
  const bool hung_up = (waits[1].revents & POLLHUP) != 0;
  return {.mailbox = waits[0].revents != 0,
          .readable = read && ((waits[1].revents & POLLIN) != 0 || failed || hung_up),
          .writable = (waits[1].revents & POLLOUT) != 0 || (write && hung_up),
          .failed = failed && !read,
          .hung_up = hung_up && !read};
}

}  // namespace sansock::detail
