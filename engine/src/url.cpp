#include "sansock/url.h"

#include <algorithm>

#include "character.h"
#include "host.h"
#include "sansock/negotiate.h"

namespace sansock {

namespace {

// Takes the part up to the first of `ends`, which stays in `rest`.
std::string_view take_until(std::string_view& rest, std::string_view ends) noexcept {
  const std::size_t end = std::min(rest.find_first_of(ends), rest.size());
  const std::string_view part = detail::before(rest, end);
  rest.remove_prefix(end);
  return part;
}

bool is_user_info(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == ':' || detail::is_char(c, detail::char_host); }) &&
         detail::escapes_valid(text);
}

// [ userinfo "@" ] host [ ":" [ port ] ]
bool parse_authority(std::string_view text, Url& url) noexcept {
  if (const std::size_t at = text.find('@'); at != text.npos) {
    url.has_user_info = true;
    url.user_info = detail::before(text, at);
    text.remove_prefix(at + 1);
    if (!is_user_info(url.user_info)) return false;
  }
  if (text.ends_with(':')) text.remove_suffix(1);  // RFC 3986 section 3.2.3: a port may be empty
  detail::HostPort authority;
  if (!detail::parse_host(text, authority)) return false;
  url.host = authority.host;
  url.host_is_ipv6 = url.host.front() == '[';
  if (url.host_is_ipv6) url.host = detail::from(detail::before(url.host, url.host.size() - 1), 1);
  url.port_text = authority.port_text;
  if (authority.port != 0) url.port = authority.port;
  return true;
}

// socket-path [ ":" target ], the socket's path without ':' and '?'; an empty authority before it
// is allowed.
bool parse_unix(std::string_view& rest, Url& url) noexcept {
  if (detail::begins_with(rest, "//")) {
    rest.remove_prefix(2);
    if (!rest.starts_with('/')) return false;
  }
  url.unix_socket = true;
  url.host = take_until(rest, ":?");
  if (rest.starts_with(':')) rest.remove_prefix(1);
  return !url.host.empty() && detail::escapes_valid(url.host) &&
         (rest.empty() || rest.front() == '/' || rest.front() == '?');
}

bool parse(std::string_view rest, Url& url) noexcept {
  // RFC 6455 section 3: a '#' must be escaped, wherever it stands. So no fragment is cut off either.
  if (!detail::all_chars(rest, detail::char_visible) || rest.find('#') != rest.npos) return false;
  const std::string_view scheme = take_until(rest, ":");
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  const bool unix_socket = equal_ignoring_case(scheme, "ws+unix");
  const std::uint16_t port = unix_socket ? std::uint16_t{80} : detail::default_port(scheme);
  if (port == 0) return false;
  url.secure = port == 443;
  url.port = port;
  if (unix_socket) {
    if (!parse_unix(rest, url)) return false;
  } else {
    if (!detail::begins_with(rest, "//")) return false;
    rest.remove_prefix(2);
    if (!parse_authority(take_until(rest, "/?"), url)) return false;
  }
  url.path = take_until(rest, "?");
  url.query = rest;
  return true;
}

int hex_value(char c) noexcept {
  return detail::is_digit(static_cast<unsigned char>(c)) ? c - '0' : detail::to_lower(c) - 'a' + 10;
}

}  // namespace

errc parse_url(std::string_view text, Url& url) noexcept {
  url = {};
  if (parse(text, url)) return errc::none;
  url = {};
  return errc::url_invalid;
}

std::string_view percent_decode(std::string_view text, std::span<char> out) noexcept {
  if (out.size() < text.size() || !detail::escapes_valid(text)) return {};
  if (text.empty()) return "";
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out[size++] = static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
      i += 2;
    } else {
      out[size++] = text[i];
    }
  }
  return {out.data(), size};
}

}  // namespace sansock
