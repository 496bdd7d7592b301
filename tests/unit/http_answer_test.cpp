#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sansock/handshake.h"

namespace sansock {
namespace {

std::string answer(const HttpResponse& response, errc wanted = errc::none, std::size_t room = 2048) {
  std::vector<std::byte> out(room);
  std::size_t written = 99;
  EXPECT_EQ(ServerHandshake::write_response(response, out, written), wanted);
  if (wanted != errc::none) {
    EXPECT_EQ(written, 0u);
  }
  return std::string(as_text(ConstBytes(out).first(written)));
}

std::string refusal(errc cause, bool version_8 = true) {
  std::vector<std::byte> out(512);
  const std::size_t written = ServerHandshake::write_refusal(cause, out, version_8);
  return std::string(as_text(ConstBytes(out).first(written)));
}

TEST(HttpAnswer, ReasonPhrases) {
  EXPECT_EQ(reason_phrase(101), "Switching Protocols");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(426), "Upgrade Required");
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(299), "Unknown");
  EXPECT_EQ(reason_phrase(0), "Unknown");
}

TEST(HttpAnswer, Page) {
  const Header headers[] = {{"Cache-Control", "no-store"}, {"X-Empty", ""}};
  EXPECT_EQ(
      answer({.status = 200, .headers = headers, .content_type = "text/html", .body = as_bytes("<p>hi")}),
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n"
      "X-Empty: \r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(answer({.status = 299}),
            "HTTP/1.1 299 Unknown\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpAnswer, ContentTypeOfTheApplicationReplacesOurs) {
  const Header headers[] = {{"content-type", "image/png"}};
  EXPECT_EQ(answer({.status = 200, .headers = headers, .body = as_bytes("x")}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-type: image/png\r\nContent-Length: 1\r\n\r\n");
}

TEST(HttpAnswer, AnUpgradeIsNamedWhereOneIsRequired) {
  EXPECT_EQ(answer({.status = 426}),
            "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(HttpAnswer, StatusesWithoutABody) {
  EXPECT_EQ(answer({.status = 204}), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer({.status = 304}), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer({.status = 205}),
            "HTTP/1.1 205 Reset Content\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{204, 205, 304})
    answer({.status = status, .body = as_bytes("x")}, errc::status_invalid);
}

TEST(HttpAnswer, StatusesOutOfRange) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{0, 99, 100, 101, 199, 600, 999, 65535})
    answer({.status = status}, errc::status_invalid);
  answer({.status = 599});
}

// Row H12, on the server's side.
TEST(HttpAnswer, H12_HeadersThatMustNotBeSent) {
  const Header bad[] = {{"A\r\nB", "c"},
                        {"A", "b\r\nC: d"},
                        {"A", "b\n"},
                        {"A", {"b\0", 2}},
                        {"", "b"},
                        {"A b", "c"},
                        {"A:", "c"},
                        {"A", "\x7F"},
                        {"Connection", "keep-alive"},
                        {"Content-Length", "9"},
                        {"upgrade", "websocket"},
                        {"Transfer-Encoding", "chunked"},
                        {"Sec-WebSocket-Accept", "x"}};
  for (const Header& header : bad) answer({.headers = std::span(&header, 1)}, errc::header_invalid);
  answer({.content_type = "a\r\nb: c"}, errc::header_invalid);
}

TEST(HttpAnswer, TooSmallMemoryWritesNothing) {
  const std::size_t size = answer({.body = as_bytes("no")}).size();
  answer({.body = as_bytes("no")}, errc::none, size);
  for (std::size_t room = 0; room < size; ++room)
    answer({.body = as_bytes("no")}, errc::memory_exhausted, room);
}

TEST(HttpAnswer, Refusals) {
  EXPECT_EQ(refusal(errc::head_malformed),
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 44\r\n\r\nThis is not a well-formed HTTP/1.1 message.\n");
  const std::string method = refusal(errc::method_not_get);
  EXPECT_TRUE(method.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_NE(method.find("\r\nAllow: GET\r\n"), std::string::npos);
  const std::string version = refusal(errc::version_unsupported);
  EXPECT_TRUE(version.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  EXPECT_NE(version.find("\r\nSec-WebSocket-Version: 13, 8\r\n"), std::string::npos);
  EXPECT_NE(version.find("\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(refusal(errc::version_unsupported, false).find("\r\nSec-WebSocket-Version: 13\r\n"),
            std::string::npos);
  EXPECT_NE(refusal(errc::upgrade_missing).find("\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_EQ(refusal(errc::upgrade_missing).find("Sec-WebSocket-Version"), std::string::npos);
}

TEST(HttpAnswer, EveryRefusalIsWholeAndFits) {
  for (int value = 0; value <= static_cast<int>(errc::count_); ++value) {
    const errc cause = static_cast<errc>(value);
    const std::string text = refusal(cause);
    ASSERT_TRUE(text.starts_with("HTTP/1.1 " + std::to_string(http_status_for(cause)) + " ")) << name(cause);
    EXPECT_NE(text.find("\r\nConnection: close"), std::string::npos);
    const std::size_t end = text.find("\r\n\r\n");
    ASSERT_NE(end, std::string::npos);
    const std::string body = text.substr(end + 4);
    EXPECT_EQ(body, std::string(describe(cause)) + "\n");
    EXPECT_NE(text.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"), std::string::npos);
    std::vector<std::byte> small(text.size() - 1);
    EXPECT_EQ(ServerHandshake::write_refusal(cause, small), 0u);
  }
}

}  // namespace
}  // namespace sansock
