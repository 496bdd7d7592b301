// The routes and pages of a server, and which one a path belongs to.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sansock/server.h"

namespace sansock {

// Paths that are compared exactly, or as a prefix where the pattern ends in '*'.
struct PathPattern {
  std::string text;  // as given
  bool prefix = false;

  explicit PathPattern(std::string pattern) : text(std::move(pattern)), prefix(text.ends_with('*')) {}
  std::string_view stem() const noexcept { return std::string_view(text).substr(0, text.size() - prefix); }
  bool matches(std::string_view path) const noexcept {
    return prefix ? path.starts_with(stem()) : path == text;
  }
  // Of two patterns that match one path, the better is the longer, or the exact one of two of a length.
  bool better_than(const PathPattern& other) const noexcept {
    if (stem().size() != other.stem().size()) return stem().size() > other.stem().size();
    return !prefix && other.prefix;
  }
};

struct RouteEntry {
  RouteEntry(std::string pattern_text, Route given);

  PathPattern pattern;
  Route route;
  std::vector<std::string_view> origins;  // of route.origins, as Config wants them
  // The output size above which OutputPolicy acts: never above what can be queued at all.
  std::uint32_t high_watermark;

  // The first subprotocol that the client offers and the route has (RFC 6455 section 4.2.2, point 5);
  // empty if there is none. A view of the route's own text.
  std::string_view select_subprotocol(const Request& request) const noexcept;
  // Whether the route's origin policy lets this request in, which came over TLS or not.
  bool origin_allowed(const Request& request, bool secure) const noexcept;
};

struct PageEntry {
  PathPattern pattern;
  std::function<Page(const Request&)> handler;
};

// Fixed once the server runs; then read by all threads.
class RouteTable {
 public:
  static constexpr std::uint16_t none = 0xffff;

  void add_route(std::string path, Route route);
  void add_page(std::string path, std::function<Page(const Request&)> handler);

  // The index of the route for a path; `none` if there is none.
  std::uint16_t match_route(std::string_view path) const noexcept;
  const PageEntry* match_page(std::string_view path) const noexcept;
  // The index of the route that was given with exactly this pattern; `none` if there is none.
  std::uint16_t find_route(std::string_view pattern) const noexcept;

  const RouteEntry& route(std::uint16_t index) const noexcept { return routes_[index]; }
  std::size_t size() const noexcept { return routes_.size(); }
  // Whether any route takes version 8 of the protocol.
  bool version_8() const noexcept;

 private:
  std::deque<RouteEntry> routes_;  // addresses stay
  std::deque<PageEntry> pages_;
};

}  // namespace sansock
