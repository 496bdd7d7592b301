// How often somebody may do something: `burst` times at once, then `per_second` on average.
#pragma once

#include <algorithm>
#include <chrono>

namespace chat {

class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(double per_second, double burst) noexcept
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Whether it may be done now; if so, it counts.
  bool take(Clock::time_point now) noexcept {
    const std::chrono::duration<double> passed = now - filled_;
    filled_ = now;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;
  Clock::time_point filled_ = Clock::now();
};

}  // namespace chat
