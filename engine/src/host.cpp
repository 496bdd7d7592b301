#include "host.h"

#include <algorithm>

#include "character.h"
#include "sansock/negotiate.h"

namespace sansock {

namespace detail {

namespace {

// dec-octet, without leading zeros, which some read as octal.
bool is_octet(std::string_view text) noexcept {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(static_cast<unsigned char>(c))) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 255;
}

bool is_ipv4(std::string_view text) noexcept {
  for (int octets = 1; octets < 4; ++octets) {
    const std::size_t dot = text.find('.');
    if (dot == text.npos || !is_octet(before(text, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_octet(text);
}

// RFC 3986 section 3.2.2: eight groups of up to four hex digits; the last two may be an IPv4
// address; one "::" may stand for one group or more.
bool is_ipv6(std::string_view text) noexcept {
  int groups = 0;
  bool elided = false;
  if (begins_with(text, "::")) {
    elided = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = before(text, end);
    if (end == text.size() && group.find('.') != group.npos) {
      groups += 2;
      if (!is_ipv4(group)) return false;
      break;
    }
    ++groups;
    if (group.empty() || group.size() > 4 || !all_chars(group, char_hex_digit)) return false;
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return false;  // a single ':' at the end
    if (text.front() != ':') continue;
    if (elided) return false;
    elided = true;
    text.remove_prefix(1);
  }
  return elided ? groups <= 7 : groups == 8;
}

}  // namespace

bool escapes_valid(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (text.size() - i < 3 || !is_char(text[i + 1], char_hex_digit) || !is_char(text[i + 2], char_hex_digit))
      return false;
    i += 2;
  }
  return true;
}

std::uint16_t parse_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5) return 0;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (!is_digit(static_cast<unsigned char>(c))) return 0;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value <= 65535 ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  if (equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "ws")) return 80;
  if (equal_ignoring_case(scheme, "https") || equal_ignoring_case(scheme, "wss")) return 443;
  return 0;
}

bool parse_host(std::string_view text, HostPort& result) noexcept {
  result = {};
  std::size_t end = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == text.npos || !is_ipv6(from(before(text, bracket), 1))) return false;
    end = bracket + 1;
  } else {
    end = std::min(text.find(':'), text.size());
    const std::string_view name = before(text, end);
    if (name.empty() || !all_chars(name, char_host) || !escapes_valid(name)) return false;
  }
  result.host = before(text, end);
  text.remove_prefix(end);
  if (text.empty()) return true;
  if (text.front() != ':') return false;
  result.port_text = from(text, 1);
  result.port = parse_port(result.port_text);
  return result.port != 0;
}

}  // namespace detail

bool is_host(std::string_view host_and_port) noexcept {
  detail::HostPort parsed;
  return detail::parse_host(host_and_port, parsed);
}

}  // namespace sansock
