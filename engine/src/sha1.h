// SHA-1 (RFC 3174), which the opening handshake is defined with. It proves nothing about anybody:
// the accept key only shows that the other side speaks WebSocket.
#pragma once

#include <array>
#include <cstdint>

#include "sansock/types.h"

namespace sansock::detail {

class Sha1 {
 public:
  void update(ConstBytes bytes) noexcept;
  // Once, at the end.
  std::array<std::byte, 20> digest() noexcept;

 private:
  void append(std::uint8_t byte) noexcept;
  void compress() noexcept;

  std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<std::uint8_t, 64> block_{};
  std::uint64_t size_ = 0;
};

}  // namespace sansock::detail
