#include "sansock/url.h"

#include <gtest/gtest.h>

#include <string>

namespace sansock {
namespace {

Url parsed(std::string_view text) {
  Url url;
  EXPECT_EQ(parse_url(text, url), errc::none) << text;
  return url;
}

TEST(Url, Whole) {
  const Url url = parsed("wss://user:p%40ss@Example.com:8443/a/b?c=d&e");
  EXPECT_TRUE(url.secure);
  EXPECT_FALSE(url.unix_socket);
  EXPECT_TRUE(url.has_user_info);
  EXPECT_EQ(url.user_info, "user:p%40ss");
  EXPECT_EQ(url.host, "Example.com");
  EXPECT_FALSE(url.host_is_ipv6);
  EXPECT_EQ(url.port_text, "8443");
  EXPECT_EQ(url.port, 8443);
  EXPECT_FALSE(url.port_is_default());
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_EQ(url.query, "?c=d&e");
}

TEST(Url, Defaults) {
  for (const std::string_view text : {"ws://a", "http://a", "WS://a", "ws://a:80", "ws://a:"}) {
    const Url url = parsed(text);
    EXPECT_FALSE(url.secure);
    EXPECT_EQ(url.host, "a");
    EXPECT_EQ(url.port, 80);
    EXPECT_TRUE(url.port_is_default());
    EXPECT_EQ(url.path, "");
    EXPECT_EQ(url.query, "");
    EXPECT_FALSE(url.has_user_info);
  }
  EXPECT_TRUE(parsed("https://a").secure);
  EXPECT_EQ(parsed("wss://a").port, 443);
  EXPECT_FALSE(parsed("wss://a:80").port_is_default());
  EXPECT_EQ(parsed("ws://a?b?c").query, "?b?c");
  EXPECT_TRUE(parsed("ws://@a").has_user_info);
  EXPECT_EQ(parsed("ws://a/b:c@d").path, "/b:c@d");
}

TEST(Url, Ipv6) {
  const Url url = parsed("ws://[::1]:9001/");
  EXPECT_EQ(url.host, "::1");
  EXPECT_TRUE(url.host_is_ipv6);
  EXPECT_EQ(url.port, 9001);
}

TEST(Url, UnixSockets) {
  Url url = parsed("ws+unix:/run/app.sock:/chat:room?a=b:c");
  EXPECT_TRUE(url.unix_socket);
  EXPECT_FALSE(url.secure);
  EXPECT_EQ(url.host, "/run/app.sock");
  EXPECT_EQ(url.path, "/chat:room");
  EXPECT_EQ(url.query, "?a=b:c");
  EXPECT_EQ(url.port, 80);
  url = parsed("ws+unix:///run/app.sock");
  EXPECT_EQ(url.host, "/run/app.sock");
  EXPECT_EQ(url.path, "");
  EXPECT_EQ(parsed("WS+UNIX:./a?b").host, "./a");
  EXPECT_EQ(parsed("ws+unix:./a?b").query, "?b");
  EXPECT_EQ(parsed("ws+unix:/a:").path, "");
  EXPECT_EQ(parsed("ws+unix:/a%20b:/").host, "/a%20b");
}

TEST(Url, Invalid) {
  for (const std::string_view bad : {"",
                                     "ws",
                                     "ws:",
                                     "ws:/",
                                     "ws://",
                                     "ws:///",
                                     "ws://:80",
                                     "ws://?",
                                     "ftp://a",
                                     "a",
                                     "//a",
                                     "ws:a",
                                     "://a",
                                     "ws //a",
                                     "ws://a:0",
                                     "ws://a:65536",
                                     "ws://a:b",
                                     "ws://a:80:80",
                                     "ws://a#",
                                     "ws://a/#b",
                                     "ws://#",
                                     "ws://a/b c",
                                     " ws://a",
                                     "ws://a ",
                                     "ws://a/\t",
                                     "ws://a/\r\nHost: b",
                                     "ws://a/\x7F",
                                     "ws://b\xC3\xBC"
                                     "cher",
                                     "ws://a\\@b",
                                     "ws://a\\b/",
                                     "ws://a@b@c",
                                     "ws://u%zz@a",
                                     "ws://u<@a",
                                     "ws://[::1",
                                     "ws://::1/",
                                     "ws://[::g]/",
                                     "ws://a%2/",
                                     "ws+unix:",
                                     "ws+unix::/a",
                                     "ws+unix:?a",
                                     "ws+unix://host/a",
                                     "ws+unix:/a:b",
                                     "ws+unix:/a%2:/",
                                     "ws+unix:/a#",
                                     "wss+unix:/a"}) {
    Url url;
    url.host = "stale";
    EXPECT_EQ(parse_url(bad, url), errc::url_invalid) << bad;
    EXPECT_EQ(url.host, "");
  }
  Url url;
  EXPECT_EQ(parse_url(std::string_view("ws://a/\0", 8), url), errc::url_invalid);
}

TEST(Url, PercentDecode) {
  char out[32];
  EXPECT_EQ(percent_decode("user:p%40s%2fs", out), "user:p@s/s");
  EXPECT_EQ(percent_decode("%41%6a%6A", out), "Ajj");
  EXPECT_EQ(percent_decode("a+b", out), "a+b");
  EXPECT_EQ(percent_decode("%00", out), std::string_view("\0", 1));
  for (const std::string_view bad : {"%", "%4", "a%4", "%zz", "%4g", "%%41"})
    EXPECT_EQ(percent_decode(bad, out).data(), nullptr) << bad;
  const std::string_view empty = percent_decode("", {});
  EXPECT_NE(empty.data(), nullptr);
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(percent_decode("abc", std::span(out, 2)).data(), nullptr);
}

}  // namespace
}  // namespace sansock
