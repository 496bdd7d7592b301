#include "host.h"

#include <gtest/gtest.h>

#include "sansock/negotiate.h"

namespace sansock {
namespace {

TEST(Host, Valid) {
  for (const std::string_view good :
       {"example.com", "EXAMPLE.com:80", "localhost:65535", "127.0.0.1:9001", "a", "a_b-c.d~e",
        "xn--bcher-kva.example", "a%20b", "999.1", "[::]", "[::1]:443", "[1:2:3:4:5:6:7:8]", "[1::8]",
        "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]",
        "[fe80::ABCD]", "a:00080"})
    EXPECT_TRUE(is_host(good)) << good;
}

TEST(Host, Invalid) {
  for (const std::string_view bad : {"",
                                     ":80",
                                     "a:",
                                     "a:0",
                                     "a:65536",
                                     "a:123456",
                                     "a:8o",
                                     "a:-1",
                                     "a: 80",
                                     "a b",
                                     " a",
                                     "a/b",
                                     "a?b",
                                     "a#b",
                                     "a@b",
                                     "user:pw@a",
                                     "a\\b",
                                     "a,b c",
                                     "a%2",
                                     "a%zz",
                                     "a%",
                                     "a\"b",
                                     "<a>",
                                     "b\xC3\xBC"
                                     "cher",
                                     "[]",
                                     "[::1",
                                     "::1",
                                     "[::1]a",
                                     "[::1]:",
                                     "[::1]x:80",
                                     "[1:2:3:4:5:6:7]",
                                     "[1:2:3:4:5:6:7:8:9]",
                                     "[1::2::3]",
                                     "[:::]",
                                     "[1:::2]",
                                     "[:1:2:3:4:5:6:7]",
                                     "[1:2:3:4:5:6:7:]",
                                     "[12345::]",
                                     "[g::]",
                                     "[::1.2.3]",
                                     "[::1.2.3.256]",
                                     "[::01.2.3.4]",
                                     "[1.2.3.4]",
                                     "[::1.2.3.4:5]",
                                     "[1:2:3:4:5:6:7:1.2.3.4]",
                                     "[1:2:3:4:5:6:7::8]",
                                     "[fe80::1%25eth0]",
                                     "[v1.a]"})
    EXPECT_FALSE(is_host(bad)) << bad;
  EXPECT_FALSE(is_host(std::string_view("a\0b", 3)));
}

TEST(Host, Parts) {
  detail::HostPort parsed;
  ASSERT_TRUE(detail::parse_host("example.com:0443", parsed));
  EXPECT_EQ(parsed.host, "example.com");
  EXPECT_EQ(parsed.port_text, "0443");
  EXPECT_EQ(parsed.port, 443);
  ASSERT_TRUE(detail::parse_host("[::1]", parsed));
  EXPECT_EQ(parsed.host, "[::1]");
  EXPECT_EQ(parsed.port_text, "");
  EXPECT_EQ(parsed.port, 0);
}

TEST(Host, DefaultPorts) {
  EXPECT_EQ(detail::default_port("http"), 80);
  EXPECT_EQ(detail::default_port("WS"), 80);
  EXPECT_EQ(detail::default_port("https"), 443);
  EXPECT_EQ(detail::default_port("wss"), 443);
  EXPECT_EQ(detail::default_port("ftp"), 0);
}

}  // namespace
}  // namespace sansock
