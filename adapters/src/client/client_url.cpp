#include "client_url.h"

#include <vector>

#include "sansock/tls.h"
#include "sansock/url.h"

namespace sansock {
namespace {

// The Host header of a request over a Unix socket, which has no host.
constexpr std::string_view unix_host = "localhost";

// RFC 7617: user and password around a colon, which belongs there also with an empty password.
bool decode_credentials(std::string_view user_info, std::string& out) {
  std::vector<char> memory(user_info.size() + 1);
  const std::size_t colon = user_info.find(':');
  const std::string_view user = percent_decode(user_info.substr(0, colon), memory);
  if (user.data() == nullptr && colon != 0) return false;
  out = user;
  out += ':';
  if (colon == std::string_view::npos || colon + 1 == user_info.size()) return true;
  const std::string_view password = percent_decode(user_info.substr(colon + 1), memory);
  if (password.data() == nullptr) return false;
  out += password;
  return true;
}

}  // namespace

std::error_code parse_client_url(std::string_view text, ClientTarget& target) {
  Url url;
  if (const errc error = parse_url(text, url); error != errc::none) return error;
  if (url.secure && !tls_built_in()) return errc::url_scheme_unsupported;
  target = {};
  target.secure = url.secure;
  target.unix_socket = url.unix_socket;
  target.host = url.host;
  target.port = url.port;
  if (url.unix_socket) {
    target.host_header = unix_host;
  } else {
    target.host_header = url.host_is_ipv6 ? "[" + target.host + "]" : target.host;
    if (!url.port_is_default()) target.host_header += ":" + std::to_string(url.port);
  }
  target.target = url.path.empty() ? std::string_view("/") : url.path;
  target.target += url.query;
  if (url.has_user_info && !url.user_info.empty() && !decode_credentials(url.user_info, target.credentials)) {
    return errc::url_invalid;
  }
  return {};
}

}  // namespace sansock
