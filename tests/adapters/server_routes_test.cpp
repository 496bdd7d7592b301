#include "server_routes.h"

#include <gtest/gtest.h>

namespace sansock {
namespace {

std::string matched(const RouteTable& routes, std::string_view path) {
  const std::uint16_t index = routes.match_route(path);
  return index == RouteTable::none ? "none" : routes.route(index).pattern.text;
}

TEST(ServerRoutes, LongestMatchWins) {
  RouteTable routes;
  for (const char* path : {"/", "/chat", "/chat*", "/chat/*", "/chat/rooms/*", "/files*"}) {
    routes.add_route(path, {});
  }
  EXPECT_EQ(matched(routes, "/"), "/");
  EXPECT_EQ(matched(routes, "/chat"), "/chat");
  EXPECT_EQ(matched(routes, "/chats"), "/chat*");
  EXPECT_EQ(matched(routes, "/chat/a"), "/chat/*");
  EXPECT_EQ(matched(routes, "/chat/rooms/1"), "/chat/rooms/*");
  EXPECT_EQ(matched(routes, "/files"), "/files*");
  EXPECT_EQ(matched(routes, "/other"), "none");
  EXPECT_EQ(matched(routes, "/Chat"), "none");
  EXPECT_EQ(matched(routes, ""), "none");
}

TEST(ServerRoutes, AllOtherPaths) {
  RouteTable routes;
  routes.add_route("*", {});
  routes.add_route("/a", {});
  EXPECT_EQ(matched(routes, "/a"), "/a");
  EXPECT_EQ(matched(routes, "/b"), "*");
}

TEST(ServerRoutes, TheSamePathAgainReplaces) {
  RouteTable routes;
  routes.add_route("/a", {.output_high_watermark = 1});
  routes.add_route("/a", {.output_high_watermark = 2});
  EXPECT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes.route(0).route.output_high_watermark, 2u);
  EXPECT_EQ(routes.find_route("/a"), 0);
  EXPECT_EQ(routes.find_route("/b"), RouteTable::none);
}

TEST(ServerRoutes, WatermarkIsReachable) {
  Route route;
  route.output_high_watermark = 1u << 20;
  route.limits.output_bytes_max = 4096;
  EXPECT_EQ(RouteEntry("/", route).high_watermark, 4096u);
}

TEST(ServerRoutes, FirstOfferedSubprotocolThatTheRouteHas) {
  const RouteEntry entry("/", {.subprotocols = {"b", "c"}});
  const auto selected = [&entry](std::string_view headers) {
    return std::string(entry.select_subprotocol(Request("GET / HTTP/1.1\r\n" + std::string(headers))));
  };
  EXPECT_EQ(selected(""), "");
  EXPECT_EQ(selected("Sec-WebSocket-Protocol: a\r\n"), "");
  EXPECT_EQ(selected("Sec-WebSocket-Protocol: a, c, b\r\n"), "c");
  EXPECT_EQ(selected("sec-websocket-protocol: a\r\nSec-WebSocket-Protocol: b\r\n"), "b");
  EXPECT_EQ(selected("Sec-WebSocket-Protocol: B\r\n"), "");
}

TEST(ServerRoutes, Pages) {
  RouteTable routes;
  routes.add_page("/", [](const Request&) { return Page{.body = "first"}; });
  routes.add_page("/", [](const Request&) { return Page{.body = "second"}; });
  routes.add_page("/static/*", [](const Request&) { return Page{}; });
  ASSERT_NE(routes.match_page("/"), nullptr);
  EXPECT_EQ(routes.match_page("/")->handler(Request()).body, "second");
  EXPECT_NE(routes.match_page("/static/a.js"), nullptr);
  EXPECT_EQ(routes.match_page("/other"), nullptr);
}

TEST(ServerRoutes, Version8IfAnyRouteHasIt) {
  RouteTable routes;
  EXPECT_FALSE(routes.version_8());
  routes.add_route("/a", {.version_8 = false});
  EXPECT_FALSE(routes.version_8());
  routes.add_route("/b", {});
  EXPECT_TRUE(routes.version_8());
}

}  // namespace
}  // namespace sansock
