#include <gtest/gtest.h>

#include <string>

#include "sansock/handshake.h"

namespace sansock {
namespace {

constexpr std::string_view request_text =
    "GET /chat/room?name=a?b HTTP/1.1\r\n"
    "Host: example.com:9001\r\n"
    "X-Empty:\r\n"
    "x-twice:  one \t\r\n"
    "Origin: http://example.com\r\n"
    "X-Twice: two: three\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\n"
    "Sec-WebSocket-Protocol: json\r\n"
    "Sec-WebSocket-Extensions: foo; bar\r\n";

TEST(HttpHead, Request) {
  const Request request(request_text);
  EXPECT_EQ(request.start_line(), "GET /chat/room?name=a?b HTTP/1.1");
  EXPECT_EQ(request.method(), "GET");
  EXPECT_EQ(request.target(), "/chat/room?name=a?b");
  EXPECT_EQ(request.path(), "/chat/room");
  EXPECT_EQ(request.query(), "name=a?b");
  EXPECT_EQ(request.host(), "example.com:9001");
  EXPECT_EQ(request.version(), 13);
  EXPECT_EQ(request.origin(), "http://example.com");
  EXPECT_EQ(request.subprotocols(), "chat, superchat");
  EXPECT_EQ(request.extensions(), "foo; bar");
  EXPECT_TRUE(request.offers_subprotocol("superchat"));
  EXPECT_TRUE(request.offers_subprotocol("json"));
  EXPECT_FALSE(request.offers_subprotocol("Chat"));
  EXPECT_FALSE(request.offers_subprotocol("super"));
  EXPECT_FALSE(request.offers_subprotocol(""));
}

TEST(HttpHead, Headers) {
  const HttpHead head(request_text);
  EXPECT_EQ(head.header("x-EMPTY"), "");
  EXPECT_EQ(head.header("X-Twice"), "one");
  EXPECT_EQ(head.header("X-Missing"), std::nullopt);
  EXPECT_EQ(head.header("X-Twic"), std::nullopt);
  EXPECT_EQ(head.header_count("X-Twice"), 2u);
  EXPECT_EQ(head.header_count("x"), 0u);
  std::string seen;
  head.for_each_header(
      [&](const Header& line) { seen += std::string(line.name) + "=" + std::string(line.value) + "|"; });
  EXPECT_TRUE(seen.starts_with("Host=example.com:9001|X-Empty=|x-twice=one|Origin="));
  EXPECT_NE(seen.find("|X-Twice=two: three|"), std::string::npos);
}

TEST(HttpHead, Version8HasItsOwnOriginHeader) {
  const std::string text = "GET / HTTP/1.1\r\nSec-WebSocket-Version: 8\r\nOrigin: http://a\r\n";
  EXPECT_EQ(Request(text).version(), 8);
  EXPECT_EQ(Request(text).origin(), "http://a");
  const std::string both = text + "Sec-WebSocket-Origin: http://b\r\n";
  EXPECT_EQ(Request(both).origin(), "http://b");
}

TEST(HttpHead, OtherVersionsAreZero) {
  for (const std::string version : {"", "7", "013", "13, 8", "0xd", "+13", "13.0", "1 3"}) {
    const std::string text = "GET / HTTP/1.1\r\nSec-WebSocket-Version: " + version + "\r\n";
    EXPECT_EQ(Request(text).version(), 0) << version;
  }
  EXPECT_EQ(Request("GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n").version(),
            0);
}

TEST(HttpHead, Response) {
  const std::string_view text =
      "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: foo\r\n";
  const Response response(text);
  EXPECT_EQ(response.status(), 101);
  EXPECT_EQ(response.reason(), "Switching Protocols");
  EXPECT_EQ(response.subprotocol(), "chat");
  EXPECT_EQ(response.extensions(), "foo");
  EXPECT_EQ(response.body(), "");
  EXPECT_EQ(Response("HTTP/1.1 204\r\n").status(), 204);
  EXPECT_EQ(Response("HTTP/1.1 204\r\n").reason(), "");
}

TEST(HttpHead, EmptyHasEmptyParts) {
  const Request request;
  EXPECT_EQ(request.start_line(), "");
  EXPECT_EQ(request.method(), "");
  EXPECT_EQ(request.target(), "");
  EXPECT_EQ(request.path(), "");
  EXPECT_EQ(request.query(), "");
  EXPECT_EQ(request.host(), "");
  EXPECT_EQ(request.version(), 0);
  EXPECT_EQ(request.origin(), "");
  EXPECT_EQ(request.header_count("Host"), 0u);
  EXPECT_EQ(Response().status(), 0);
  EXPECT_EQ(Response().reason(), "");
}

// Text that no reader has checked gives nonsense, but nothing is read beside it.
TEST(HttpHead, TextWithoutLines) {
  for (const std::string text :
       {"", "GET", "GET ", "\r\n", "GET / HTTP/1.1\r\nA", "GET / HTTP/1.1\r\nA:", "\r\n:\r\n"}) {
    const Request request(text);
    std::size_t size = request.start_line().size() + request.path().size();
    request.for_each_header([&](const Header& line) { size += line.name.size() + line.value.size(); });
    EXPECT_LE(size, 2 * text.size());
    EXPECT_EQ(Response(text).status(), 0);
  }
}

}  // namespace
}  // namespace sansock
