// Origins (RFC 6454 section 6.2): scheme "://" host [ ":" port ], and nothing else.
#include "character.h"
#include "host.h"
#include "sansock/negotiate.h"

namespace sansock {

namespace {

struct Origin {
  std::string_view scheme;
  std::string_view host;
  std::uint16_t port = 0;  // the scheme's default if none was written
};

// RFC 3986 section 3.1
bool is_scheme(std::string_view text) noexcept {
  if (text.empty() || !detail::is_alpha(static_cast<unsigned char>(text.front()))) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!detail::is_alpha(byte) && !detail::is_digit(byte) && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

bool parse_origin(std::string_view text, Origin& origin) noexcept {
  const std::size_t end = text.find("://");
  if (end == text.npos) return false;  // "null" and relatives
  origin.scheme = detail::before(text, end);
  detail::HostPort authority;
  if (!is_scheme(origin.scheme) || !detail::parse_host(detail::from(text, end + 3), authority)) return false;
  origin.host = authority.host;
  origin.port = authority.port != 0 ? authority.port : detail::default_port(origin.scheme);
  return true;
}

}  // namespace

bool origin_matches_host(std::string_view origin, std::string_view host_header, bool secure,
                         bool compare_scheme) noexcept {
  Origin theirs;
  detail::HostPort ours;
  if (!parse_origin(origin, theirs) || !detail::parse_host(host_header, ours)) return false;
  const bool theirs_secure = equal_ignoring_case(theirs.scheme, "https");
  if (!theirs_secure && !equal_ignoring_case(theirs.scheme, "http")) return false;
  if (compare_scheme && theirs_secure != secure) return false;
  // Behind a proxy that ends TLS the browser's scheme decides which port a bare host means.
  const bool ours_secure = compare_scheme ? secure : theirs_secure;
  const std::uint16_t port =
      ours.port != 0 ? ours.port : detail::default_port(ours_secure ? "https" : "http");
  return theirs.port == port && equal_ignoring_case(theirs.host, ours.host);
}

bool origins_equal(std::string_view a, std::string_view b) noexcept {
  Origin first;
  Origin second;
  return parse_origin(a, first) && parse_origin(b, second) && first.port == second.port &&
         equal_ignoring_case(first.scheme, second.scheme) && equal_ignoring_case(first.host, second.host);
}

}  // namespace sansock
