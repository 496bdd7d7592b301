// The times of one connection, taken from outside, to see that no deadline ends it too early, and that
// silence does not last longer than allowed.
#pragma once

#include <string>

#include "sansock/endpoint.h"

namespace sansock::sim {

class Stopwatch {
 public:
  explicit Stopwatch(Instant now) noexcept
      : begun_at_(now), heard_at_(now), quiet_from_(now), output_at_(now), closing_at_(never) {}

  void heard(Instant now) noexcept { heard_at_ = now; }
  // Deadlines start again when the connection opens, when a message ends and when reading goes on.
  void restart(Instant now) noexcept { quiet_from_ = now; }
  // Both give what is wrong, or nothing. Behind each input: did a deadline end it too early?
  std::string check(const Endpoint& endpoint, Instant now);
  // Before each: was there silence for longer than allowed? `late` is how late a loop may be.
  std::string check_silence(const Endpoint& endpoint, Instant now, Duration late);

 private:
  std::string check_cause(const Timeouts& timeouts, errc cause, Instant now) const;

  Instant begun_at_;
  Instant heard_at_;    // the newest input
  Instant quiet_from_;  // see restart()
  Instant output_at_;   // when output was queued at last
  Instant closing_at_;
  errc cause_ = errc::none;
};

}  // namespace sansock::sim
