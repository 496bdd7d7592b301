// A host with an optional port, as in the Host header, in origins and in URLs (RFC 3986 section 3.2).
#pragma once

#include <cstdint>
#include <string_view>

namespace sansock::detail {

struct HostPort {
  std::string_view host;       // the brackets of an IPv6 literal included
  std::string_view port_text;  // as written
  std::uint16_t port = 0;      // 0: none was written
};

// false where it is malformed: empty or invalid host, port empty or not in 1..65535.
bool parse_host(std::string_view text, HostPort& result) noexcept;
// The number in 1..65535 that `text` writes with at most five digits; 0 if it does not.
std::uint16_t parse_port(std::string_view text) noexcept;
// The default port of http, https, ws and wss; 0 for other schemes.
std::uint16_t default_port(std::string_view scheme) noexcept;
// Whether each '%' begins an escape.
bool escapes_valid(std::string_view text) noexcept;

}  // namespace sansock::detail
