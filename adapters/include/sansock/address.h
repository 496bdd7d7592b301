// Where a socket is bound or connected to, as text and numbers.
#pragma once

#include <cstdint>
#include <string>

namespace sansock {

struct Address {
  enum class Family : std::uint8_t { none, ipv4, ipv6, unix_path };
  Family family = Family::none;
  std::string host;        // "127.0.0.1", "::1", or the path of a Unix socket (may be empty)
  std::uint16_t port = 0;  // 0 for Unix sockets

  // "127.0.0.1:9001", "[::1]:9001", "unix:/run/app.sock", or "unknown".
  std::string text() const;
  bool operator==(const Address&) const = default;
};

}  // namespace sansock
