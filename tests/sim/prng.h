// Random numbers that are the same on every machine: the standard library's distributions are not.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "sansock/types.h"

namespace sansock::sim {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // 0..bound-1; the bias of the remainder does not matter here.
  std::uint64_t below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }
  // low..high, both possible.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + below(high - low + 1);
  }
  Duration between(Duration low, Duration high) noexcept {
    return low +
           Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  bool chance(unsigned per_mille) noexcept { return below(1000) < per_mille; }
  template <class T>
  T pick(std::initializer_list<T> choices) noexcept {
    return choices.begin()[below(choices.size())];
  }
  // An independent stream: what one part draws does not shift what another one draws.
  Prng fork() noexcept { return Prng(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace sansock::sim
