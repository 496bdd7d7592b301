// The adapters' clock (CLOCK_MONOTONIC) under a target's control: time stands still but where the
// target moves it. The program is linked with -Wl,--wrap=clock_gettime.
#pragma once

#include "sansock/types.h"

namespace sansock::fuzz {

// Active while it lives; all others see the real time.
class VirtualClock {
 public:
  VirtualClock();
  VirtualClock(const VirtualClock&) = delete;
  VirtualClock& operator=(const VirtualClock&) = delete;
  ~VirtualClock();
  void advance(Duration time);
};

}  // namespace sansock::fuzz
