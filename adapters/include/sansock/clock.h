// The clock that adapters read for the engine.
#pragma once

#include <ctime>

#include "sansock/types.h"

namespace sansock {

struct MonotonicClock {
  // CLOCK_MONOTONIC: never goes back, no system call on Linux.
  static Instant now() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return Instant(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};

}  // namespace sansock
