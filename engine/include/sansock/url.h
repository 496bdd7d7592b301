// WebSocket URLs (RFC 6455 section 3), with the extra forms that are usual: http(s) for ws(s), and
// ws+unix:/socket/path:/target for Unix sockets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sansock/error.h"

namespace sansock {

// Views into the parsed text, which must outlive it.
struct Url {
  bool secure = false;         // wss: or https:
  bool unix_socket = false;    // ws+unix:
  std::string_view user_info;  // still percent-encoded, without '@'; empty if there is none
  bool has_user_info = false;
  std::string_view host;  // without the brackets of an IPv6 literal; the path of a Unix socket
  bool host_is_ipv6 = false;
  std::string_view port_text;  // as written; empty if there is none
  std::uint16_t port = 0;      // never 0: the scheme's default if none was written
  std::string_view path;       // may be empty, which means "/"
  std::string_view query;      // with its '?', or empty

  // Whether the Host header has to name the port (RFC 6455 section 4.1, point 4).
  bool port_is_default() const noexcept { return port == (secure ? 443 : 80); }
};

// errc::none, or errc::url_invalid: unknown scheme, empty host, port not in 1..65535, a fragment
// (RFC 6455 section 3: "MUST NOT be used"), spaces, controls or bytes over 0x7E.
errc parse_url(std::string_view text, Url& url) noexcept;

// Percent-decodes `text` into `out` (at least text.size() bytes); returns the decoded part of it,
// or a view with data() == nullptr where an escape is malformed.
std::string_view percent_decode(std::string_view text, std::span<char> out) noexcept;

}  // namespace sansock
