// RouteTable: matching is linear; a server has few routes, and a request is matched once.
#include "server_routes.h"

#include <algorithm>

#include "sansock/negotiate.h"

namespace sansock {
namespace {

template <class Entries>
auto best_match(Entries& entries, std::string_view path) {
  auto best = entries.end();
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (!entry->pattern.matches(path)) continue;
    if (best == entries.end() || entry->pattern.better_than(best->pattern)) best = entry;
  }
  return best;
}

template <class Entries>
auto same_pattern(Entries& entries, std::string_view pattern) {
  return std::find_if(entries.begin(), entries.end(),
                      [pattern](const auto& entry) { return entry.pattern.text == pattern; });
}

}  // namespace

RouteEntry::RouteEntry(std::string pattern_text, Route given)
    : pattern(std::move(pattern_text)),
      route(std::move(given)),
      high_watermark(std::min(route.output_high_watermark, route.limits.output_bytes_max)) {
  origins.assign(route.origins.begin(), route.origins.end());
}

std::string_view RouteEntry::select_subprotocol(const Request& request) const noexcept {
  std::string_view selected;
  request.for_each_header([&](const Header& header) {
    if (!equal_ignoring_case(header.name, "Sec-WebSocket-Protocol")) return;
    std::string_view rest = header.value;
    while (const auto offered = next_list_element(rest)) {
      const auto own = std::find(route.subprotocols.begin(), route.subprotocols.end(), *offered);
      if (selected.empty() && own != route.subprotocols.end()) selected = *own;
    }
  });
  return selected;
}

// RFC 6455 section 10.2: a server that is not for every site "SHOULD verify the Origin". Where none
// was sent, the client is not a browser.
bool RouteEntry::origin_allowed(const Request& request, bool secure) const noexcept {
  const std::string_view origin = request.origin();
  if (route.origin_policy == OriginPolicy::any || origin.empty()) return true;
  if (route.origin_policy == OriginPolicy::same_origin) {
    return origin_matches_host(origin, request.host(), secure, true);
  }
  return std::any_of(origins.begin(), origins.end(),
                     [origin](std::string_view allowed) { return origins_equal(origin, allowed); });
}

void RouteTable::add_route(std::string path, Route route) {
  const auto same = same_pattern(routes_, path);
  if (same != routes_.end()) {
    *same = RouteEntry(std::move(path), std::move(route));
  } else if (routes_.size() < none) {
    routes_.emplace_back(std::move(path), std::move(route));
  }
}

void RouteTable::add_page(std::string path, std::function<Page(const Request&)> handler) {
  const auto same = same_pattern(pages_, path);
  if (same != pages_.end()) {
    same->handler = std::move(handler);
  } else {
    pages_.push_back({PathPattern(std::move(path)), std::move(handler)});
  }
}

std::uint16_t RouteTable::match_route(std::string_view path) const noexcept {
  const auto best = best_match(routes_, path);
  return best == routes_.end() ? none : static_cast<std::uint16_t>(best - routes_.begin());
}

const PageEntry* RouteTable::match_page(std::string_view path) const noexcept {
  const auto best = best_match(pages_, path);
  return best == pages_.end() ? nullptr : &*best;
}

std::uint16_t RouteTable::find_route(std::string_view pattern) const noexcept {
  const auto same = same_pattern(routes_, pattern);
  return same == routes_.end() ? none : static_cast<std::uint16_t>(same - routes_.begin());
}

bool RouteTable::version_8() const noexcept {
  return std::any_of(routes_.begin(), routes_.end(),
                     [](const RouteEntry& entry) { return entry.route.version_8; });
}

}  // namespace sansock
