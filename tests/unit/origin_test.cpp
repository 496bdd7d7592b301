#include <gtest/gtest.h>

#include "sansock/negotiate.h"

namespace sansock {
namespace {

bool plain(std::string_view origin, std::string_view host) {
  return origin_matches_host(origin, host, false, true);
}
bool secure(std::string_view origin, std::string_view host) {
  return origin_matches_host(origin, host, true, true);
}
bool behind_proxy(std::string_view origin, std::string_view host) {
  return origin_matches_host(origin, host, false, false);
}

TEST(Origin, SameSchemeHostAndPort) {
  EXPECT_TRUE(plain("http://example.com", "example.com"));
  EXPECT_TRUE(plain("http://example.com:80", "example.com"));
  EXPECT_TRUE(plain("http://example.com", "example.com:80"));
  EXPECT_TRUE(plain("HTTP://Example.COM", "eXample.com"));
  EXPECT_TRUE(plain("http://127.0.0.1:9001", "127.0.0.1:9001"));
  EXPECT_TRUE(plain("http://[::1]:9001", "[::1]:9001"));
  EXPECT_TRUE(secure("https://example.com", "example.com:443"));
  EXPECT_TRUE(secure("https://example.com:8443", "example.com:8443"));
}

// Row H13.
TEST(Origin, H13_LookAlikesDoNotMatch) {
  for (const std::string_view origin : {"http://evil-example.com",
                                        "http://example.com.evil.org",
                                        "http://example.com.",
                                        "http://sub.example.com",
                                        "http://example.co",
                                        "http://example.comm",
                                        "https://example.com",
                                        "https://example.com:80",
                                        "http://example.com:8080",
                                        "http://example.com:443",
                                        "http://example.com@evil.org",
                                        "http://evil.org@example.com",
                                        "http://example.com/",
                                        "http://example.com/path",
                                        "http://example.com?a",
                                        "http://example.com#a",
                                        "http://example.com http://evil.org",
                                        "http://example.com,http://evil.org",
                                        " http://example.com",
                                        "example.com",
                                        "//example.com",
                                        "://example.com",
                                        "http:example.com",
                                        "http:/example.com",
                                        "http://",
                                        "http://:80",
                                        "null",
                                        "",
                                        "ws://example.com",
                                        "file://example.com",
                                        "http+x://example.com",
                                        "1http://example.com",
                                        "http://example.com:"})
    EXPECT_FALSE(plain(origin, "example.com")) << origin;
  EXPECT_FALSE(secure("http://example.com", "example.com"));
  EXPECT_FALSE(secure("https://example.com", "example.com:80"));
  EXPECT_FALSE(plain("http://example.com", ""));
  EXPECT_FALSE(plain("null", "null"));
}

TEST(Origin, BehindAProxyTheSchemeMayDiffer) {
  EXPECT_TRUE(behind_proxy("https://example.com", "example.com"));
  EXPECT_TRUE(behind_proxy("http://example.com", "example.com"));
  EXPECT_TRUE(behind_proxy("https://example.com", "example.com:443"));
  EXPECT_TRUE(behind_proxy("https://example.com:8443", "example.com:8443"));
  EXPECT_FALSE(behind_proxy("https://example.com", "example.com:80"));
  EXPECT_FALSE(behind_proxy("https://example.com:8443", "example.com"));
  EXPECT_FALSE(behind_proxy("https://evil.org", "example.com"));
  EXPECT_FALSE(behind_proxy("ftp://example.com", "example.com"));
}

TEST(Origin, EqualOrigins) {
  EXPECT_TRUE(origins_equal("https://a.example", "HTTPS://A.example:443"));
  EXPECT_TRUE(origins_equal("http://a.example:8080", "http://a.example:8080"));
  EXPECT_TRUE(origins_equal("chrome-extension://abcdef", "chrome-extension://abcdef"));
  EXPECT_FALSE(origins_equal("https://a.example", "http://a.example"));
  EXPECT_FALSE(origins_equal("https://a.example", "https://a.example:8443"));
  EXPECT_FALSE(origins_equal("https://a.example", "https://b.example"));
  EXPECT_FALSE(origins_equal("chrome-extension://abcdef", "moz-extension://abcdef"));
  EXPECT_FALSE(origins_equal("null", "null"));
  EXPECT_FALSE(origins_equal("", ""));
}

}  // namespace
}  // namespace sansock
