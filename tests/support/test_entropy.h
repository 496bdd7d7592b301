// Entropy sources for tests: reproducible, constant, and broken (always zero).
#pragma once

#include <cstdint>

#include "sansock/memory.h"

namespace sansock::testing {

class SeededEntropy final : public EntropySource {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}

  void fill(Bytes out) noexcept override {
    ++calls_;
    for (std::byte& byte : out) {  // splitmix64
      std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
      byte = static_cast<std::byte>(z >> 56);
    }
  }
  std::uint64_t calls() const { return calls_; }

 private:
  std::uint64_t state_;
  std::uint64_t calls_ = 0;
};

// Repeats these four bytes: 0x37FA213D is the key of the examples in RFC 6455 section 5.7.
class ConstantEntropy final : public EntropySource {
 public:
  explicit ConstantEntropy(std::uint32_t word) : word_(word) {}

  void fill(Bytes out) noexcept override {
    ++calls_;
    std::size_t i = 0;
    for (std::byte& byte : out) byte = static_cast<std::byte>(word_ >> (24 - 8 * (i++ % 4)));
  }
  std::uint64_t calls() const { return calls_; }
  void set(std::uint32_t word) { word_ = word; }

 private:
  std::uint32_t word_;
  std::uint64_t calls_ = 0;
};

class ZeroEntropy final : public EntropySource {
 public:
  void fill(Bytes out) noexcept override {
    for (std::byte& byte : out) byte = std::byte{0};
  }
};

}  // namespace sansock::testing
