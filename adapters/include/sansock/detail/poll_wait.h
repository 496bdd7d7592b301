// The wait of a BlockingLoop.
#pragma once

#include "sansock/types.h"

namespace sansock::detail {

struct PollResult {
  bool mailbox = false;
  bool readable = false;
  bool writable = false;
  bool failed = false;   // reset, while nothing is waited for that would tell
  bool hung_up = false;  // both halves have ended, likewise; there may still be something to read
};

// Waits for the mailbox and, if `fd` is not -1, for the socket. EINTR ends the wait early.
PollResult poll_wait(int mailbox, int fd, bool read, bool write, Duration wait_max,
                     Instant deadline) noexcept;

}  // namespace sansock::detail
