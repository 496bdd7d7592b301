// What happened, in order: a hash of all of it, and the last part as text.
#pragma once

#include <array>
#include <cstdio>
#include <string>

#include "sansock/types.h"

namespace sansock::sim {

// The time at which every simulation begins.
inline constexpr Instant start = Instant{} + std::chrono::seconds(1000);

class Trace {
 public:
  static constexpr unsigned no_port = 0xFFFF;

  // `what` is a literal. `port` is 2 * link + side, or no_port.
  void add(Instant now, unsigned port, const char* what, std::uint64_t a = 0, std::uint64_t b = 0) noexcept;
  // Bytes count for the hash; they are not shown.
  void bytes(ConstBytes bytes) noexcept;

  std::uint64_t hash() const noexcept { return hash_; }
  // The newest lines, oldest first.
  std::string tail() const;
  // From now on each line is also written to `stream`.
  void print_to(std::FILE* stream) noexcept { stream_ = stream; }

 private:
  struct Line {
    Instant at;
    const char* what;
    std::uint64_t a;
    std::uint64_t b;
    unsigned port;
  };
  static std::string format(const Line& line);
  void mix(std::uint64_t value) noexcept {
    hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15;
    hash_ ^= hash_ >> 32;
  }

  std::uint64_t hash_ = 0;
  std::uint64_t count_ = 0;
  std::array<Line, 80> newest_{};
  std::FILE* stream_ = nullptr;
};

}  // namespace sansock::sim
