// What a client's URL says about where to connect to and what to ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace sansock {

struct ClientTarget {
  bool unix_socket = false;
  bool secure = false;  // wss: or https:
  std::string host;     // for getaddrinfo(), or the path of a Unix socket
  std::uint16_t port = 0;
  std::string host_header;  // with the port only where it is not the default
  std::string target;       // path and query
  std::string credentials;  // "user:password", decoded; empty if the URL has none
};

// errc::url_invalid; errc::url_scheme_unsupported for wss: and https: where TLS is not built in.
std::error_code parse_client_url(std::string_view text, ClientTarget& target);

}  // namespace sansock
