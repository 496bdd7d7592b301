#include "virtual_clock.h"

#include <ctime>

namespace {

// In nanoseconds; under 0 while the real clock is used. Sanitizers ask for the time before anything
// is initialized, so this has no constructor.
constinit std::int64_t virtual_now = -1;

constexpr std::int64_t start = 1'000'000'000'000;

}  // namespace

namespace sansock::fuzz {

VirtualClock::VirtualClock() { virtual_now = start; }
VirtualClock::~VirtualClock() { virtual_now = -1; }
void VirtualClock::advance(Duration time) { virtual_now += time.count(); }

}  // namespace sansock::fuzz

// The names are the linker's.
extern "C" {

int __real_clock_gettime(clockid_t clock, timespec* time);
int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  if (clock != CLOCK_MONOTONIC || virtual_now < 0) return __real_clock_gettime(clock, time);
  time->tv_sec = virtual_now / 1'000'000'000;
  time->tv_nsec = virtual_now % 1'000'000'000;
  return 0;
}
}
