// Takes a fuzzer's bytes apart, from the front. At the end everything is zero and empty, so each
// input means something and its prefixes mean nearly the same.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "frames.h"

namespace sansock::fuzz {

using testing::Data;
using testing::operator+;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : *at_++; }
  bool flag() { return (byte() & 1) != 0; }
  // Most significant byte first.
  std::uint32_t number(int bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
    return value;
  }
  // Less than `end`, which is at most 65536.
  std::size_t below(std::size_t end) { return number(end > 256 ? 2 : 1) % end; }
  template <class T, std::size_t size>
  T pick(const std::array<T, size>& choices) {
    return choices[below(size)];
  }
  // At most so many.
  Data take(std::size_t count) {
    count = std::min(count, left());
    const std::uint8_t* const begin = at_;
    at_ += count;
    return {begin, at_};
  }
  Data rest() { return take(left()); }
  // A run with its size in front of it.
  Data run() { return take(byte()); }
  std::string text() { return testing::string_of(run()); }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace sansock::fuzz
