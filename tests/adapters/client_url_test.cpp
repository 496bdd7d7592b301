#include "client_url.h"

#include <gtest/gtest.h>

#include "sansock/error.h"
#include "sansock/tls.h"

namespace sansock {
namespace {

ClientTarget parsed(std::string_view text) {
  ClientTarget target;
  EXPECT_FALSE(parse_client_url(text, target)) << text;
  return target;
}

std::error_code refused(std::string_view text) {
  ClientTarget target;
  return parse_client_url(text, target);
}

TEST(ClientUrl, HostHeaderNamesThePortOnlyWhereItIsNotTheDefault) {
  EXPECT_EQ(parsed("ws://example.com/").host_header, "example.com");
  EXPECT_EQ(parsed("ws://example.com:80/").host_header, "example.com");
  EXPECT_EQ(parsed("http://example.com:8080/").host_header, "example.com:8080");
  EXPECT_EQ(parsed("ws://example.com:8080/").port, 8080);
  EXPECT_EQ(parsed("ws://example.com").port, 80);
}

TEST(ClientUrl, Ipv6LiteralKeepsItsBracketsOnlyInTheHeader) {
  const ClientTarget target = parsed("ws://[::1]:9001/");
  EXPECT_EQ(target.host, "::1");
  EXPECT_EQ(target.host_header, "[::1]:9001");
}

TEST(ClientUrl, TargetIsPathAndQuery) {
  EXPECT_EQ(parsed("ws://h").target, "/");
  EXPECT_EQ(parsed("ws://h?a=1").target, "/?a=1");
  EXPECT_EQ(parsed("ws://h/a/b?c=d&e").target, "/a/b?c=d&e");
}

TEST(ClientUrl, UnixSocket) {
  const ClientTarget target = parsed("ws+unix:/run/app.sock:/chat?x=1");
  EXPECT_TRUE(target.unix_socket);
  EXPECT_EQ(target.host, "/run/app.sock");
  EXPECT_EQ(target.target, "/chat?x=1");
  EXPECT_EQ(target.host_header, "localhost");
  EXPECT_EQ(parsed("ws+unix:/run/app.sock").target, "/");
}

TEST(ClientUrl, CredentialsAreDecoded) {
  EXPECT_EQ(parsed("ws://user:pass@h/").credentials, "user:pass");
  EXPECT_EQ(parsed("ws://us%3Aer:p%40ss@h/").credentials, "us:er:p@ss");
  EXPECT_EQ(parsed("ws://user@h/").credentials, "user:");
  EXPECT_EQ(parsed("ws://user:@h/").credentials, "user:");
  EXPECT_EQ(parsed("ws://:pass@h/").credentials, ":pass");
  EXPECT_EQ(parsed("ws://h/").credentials, "");
}

TEST(ClientUrl, SecureWhereTlsIsBuiltIn) {
  for (const char* url : {"wss://example.com/", "https://example.com/"}) {
    if (tls_built_in()) {
      EXPECT_TRUE(parsed(url).secure) << url;
      EXPECT_EQ(parsed(url).port, 443) << url;
      EXPECT_EQ(parsed(url).host_header, "example.com") << url;
    } else {
      EXPECT_EQ(refused(url), errc::url_scheme_unsupported) << url;
    }
  }
  EXPECT_FALSE(parsed("ws://example.com/").secure);
}

TEST(ClientUrl, Refused) {
  EXPECT_EQ(refused("ftp://example.com/"), errc::url_invalid);
  EXPECT_EQ(refused("ws://example.com/#part"), errc::url_invalid);
  EXPECT_EQ(refused("ws:///"), errc::url_invalid);
  EXPECT_EQ(refused("ws://h:0/"), errc::url_invalid);
  EXPECT_EQ(refused("ws://us%er:pass@h/"), errc::url_invalid);
  EXPECT_EQ(refused("ws://user:pa%zzss@h/"), errc::url_invalid);
  EXPECT_EQ(refused(""), errc::url_invalid);
}

}  // namespace
}  // namespace sansock
