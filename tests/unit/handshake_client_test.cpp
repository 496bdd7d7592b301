#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sansock/handshake.h"
#include "support/fake_codec.h"
#include "support/splits.h"

namespace sansock {
namespace {

using testing::Pieces;

// The nonce of the example in RFC 6455 section 1.3.
class SampleNonce final : public EntropySource {
 public:
  void fill(Bytes out) noexcept override { std::memcpy(out.data(), "the sample nonce", out.size()); }
};

const std::string accepted =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

struct Result {
  HandshakeState state;
  errc error;
  std::size_t taken;
  std::string head;
  std::string body;
  std::optional<DeflateParameters> deflate = {};
  bool operator==(const Result&) const = default;
};

void PrintTo(const Result& result, std::ostream* out) {
  *out << name(result.error) << " state=" << static_cast<int>(result.state) << " taken=" << result.taken
       << " " << result.head << "|" << result.body;
}

class HandshakeClient : public ::testing::Test {
 protected:
  HandshakeClient() { config.entropy = &entropy; }

  std::string request(const ClientRequest& asked, errc wanted = errc::none, std::size_t room = 4096) {
    std::vector<std::byte> memory(1024);
    ClientHandshake client(config, memory);
    std::vector<std::byte> out(room);
    std::size_t written = 99;
    EXPECT_EQ(client.write_request(asked, out, written), wanted);
    if (wanted != errc::none) {
      EXPECT_EQ(written, 0u);
    }
    return std::string(as_text(ConstBytes(out).first(written)));
  }

  Result receive(const Pieces& pieces, bool eof = false) {
    std::vector<std::byte> memory(memory_size);
    ClientHandshake client(config, memory);
    std::vector<std::byte> out(4096);
    std::size_t written = 0;
    EXPECT_EQ(client.write_request({.host = "a", .subprotocols = subprotocols}, out, written), errc::none);
    Result result{};
    result.taken = testing::feed_pieces(client, pieces);
    if (eof) client.feed_eof();
    result.state = client.state();
    result.error = client.error();
    const Response& response = client.response();
    result.head = std::string(response.start_line()) + "|" + std::string(response.header_lines());
    result.body = response.body();
    result.deflate = client.deflate();
    return result;
  }

  // An answer that ends at its last byte, however it is cut and whatever follows.
  Result expect(std::string_view answer, errc wanted) {
    const Result whole = receive({answer});
    EXPECT_EQ(whole.error, wanted) << name(whole.error) << " for " << answer;
    EXPECT_EQ(whole.taken, answer.size());
    EXPECT_EQ(whole.state, wanted == errc::none ? HandshakeState::complete : HandshakeState::refused)
        << answer;
    testing::for_each_split(answer,
                            [&](const Pieces& pieces) { EXPECT_EQ(receive(pieces), whole) << answer; });
    EXPECT_EQ(receive({std::string(answer) + "\x81\x02hi"}), whole) << answer;
    EXPECT_EQ(receive({answer, "\x81"}), whole) << answer;
    return whole;
  }

  SampleNonce entropy;
  Config config;
  std::size_t memory_size = 16 << 10;
  std::span<const std::string_view> subprotocols;
};

// --- the request --------------------------------------------------------------------------------

TEST_F(HandshakeClient, PlainRequest) {
  EXPECT_EQ(request({.host = "server.example.com", .target = "/chat"}),
            "GET /chat HTTP/1.1\r\n"
            "Host: server.example.com\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "\r\n");
}

TEST_F(HandshakeClient, RequestWithEverything) {
  const std::string_view names[] = {"chat", "superchat"};
  const Header headers[] = {{"Cookie", "a=b"}, {"X-Empty", ""}};
  const std::string text = request({.host = "[::1]:9001",
                                    .target = "/?a=b",
                                    .origin = "http://example.com",
                                    .subprotocols = names,
                                    .headers = headers,
                                    .authorization = "Basic YTpi",
                                    .version = 8});
  EXPECT_TRUE(
      text.ends_with("Sec-WebSocket-Version: 8\r\n"
                     "Sec-WebSocket-Origin: http://example.com\r\n"
                     "Sec-WebSocket-Protocol: chat, superchat\r\n"
                     "Authorization: Basic YTpi\r\n"
                     "Cookie: a=b\r\n"
                     "X-Empty: \r\n"
                     "\r\n"))
      << text;
  EXPECT_NE(request({.host = "a", .origin = "null"}).find("\r\nOrigin: null\r\n"), std::string::npos);
}

TEST_F(HandshakeClient, AuthorizationInHeadersWins) {
  const Header headers[] = {{"authorization", "Bearer x"}};
  const std::string text = request({.host = "a", .headers = headers, .authorization = "Basic YTpi"});
  EXPECT_NE(text.find("\r\nauthorization: Bearer x\r\n"), std::string::npos);
  EXPECT_EQ(text.find("Basic"), std::string::npos);
}

TEST_F(HandshakeClient, RequestOffersPermessageDeflateWithACodec) {
  testing::FakeCodec codec;
  config.codec = &codec;
  config.deflate = {.server_no_context_takeover = true, .server_max_window_bits = 12};
  const Header headers[] = {{"Cookie", "a=b"}};
  const std::string text = request({.host = "a", .headers = headers});
  EXPECT_TRUE(
      text.ends_with("Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                     "server_max_window_bits=12; client_max_window_bits\r\n"
                     "Cookie: a=b\r\n"
                     "\r\n"))
      << text;
  for (std::size_t room = 0; room < text.size(); ++room)
    request({.host = "a", .headers = headers}, errc::memory_exhausted, room);
  const Header own[] = {{"sec-websocket-extensions", "x"}};
  request({.host = "a", .headers = own}, errc::header_invalid);
}

TEST_F(HandshakeClient, OurServerTakesOurRequest) {
  const std::string_view names[] = {"chat"};
  for (const int version : {13, 8}) {
    const std::string text =
        request({.host = "a", .origin = "http://a", .subprotocols = names, .version = version});
    std::vector<std::byte> memory(4096);
    ServerHandshake server(config, memory);
    EXPECT_EQ(server.feed(as_bytes(text)), text.size());
    EXPECT_EQ(server.state(), HandshakeState::complete) << name(server.error());
    EXPECT_EQ(server.request().version(), version);
    EXPECT_EQ(server.request().origin(), "http://a");
  }
}

TEST_F(HandshakeClient, RequestNeedsRoomAndEntropy) {
  const std::size_t size = request({.host = "a"}).size();
  request({.host = "a"}, errc::none, size);
  for (std::size_t room = 0; room < size; ++room) request({.host = "a"}, errc::memory_exhausted, room);
  config.entropy = nullptr;
  request({.host = "a"}, errc::config_invalid);
}

TEST_F(HandshakeClient, H12_HostTargetOriginAndCredentials) {
  for (const std::string_view host : {"", "a\r\nb", "a b", "a\n", "a/b", "u@a", "a:0", "::1"})
    request({.host = host}, errc::header_invalid);
  for (const std::string_view target :
       {"", "chat", "http://a/", "/a b", "/a\r\nX: y", "/a\n", "/a#b", "/\xC3\xA4", "*"})
    request({.host = "a", .target = target}, errc::header_invalid);
  request({.host = "a", .target = {"/\0", 2}}, errc::header_invalid);
  for (const std::string_view origin :
       {"http://a\r\nX: y", "http://a http://b", "http://a,http://b", "\t", "\xC3\xA4"})
    request({.host = "a", .origin = origin}, errc::header_invalid);
  for (const std::string_view authorization : {"Basic a\r\nX: y", "a\n", "a\r", "\x01"})
    request({.host = "a", .authorization = authorization}, errc::header_invalid);
  for (const int version : {0, 7, 9, 12, 14, -13})
    request({.host = "a", .version = version}, errc::header_invalid);
}

TEST_F(HandshakeClient, H12_Subprotocols) {
  for (const std::string_view bad : {"", "a b", "a,b", "a\r\nX: y", "\xC3\xA4", "chat"}) {
    const std::string_view names[] = {"chat", bad};
    request({.host = "a", .subprotocols = names}, errc::header_invalid);
  }
  const std::string_view nul[] = {{"a\0", 2}};
  request({.host = "a", .subprotocols = nul}, errc::header_invalid);
}

TEST_F(HandshakeClient, H12_Headers) {
  const Header bad[] = {{"A", "b\r\nC: d"},
                        {"A", "b\n"},
                        {"A", {"b\0", 2}},
                        {"A\r\nB", "c"},
                        {"A:", "b"},
                        {"", "b"},
                        {"Host", "b"},
                        {"upgrade", "h2c"},
                        {"Connection", "close"},
                        {"ORIGIN", "http://b"},
                        {"Sec-WebSocket-Key", "x"},
                        {"sec-websocket-version", "13"},
                        {"Sec-WebSocket-Protocol", "x"},
                        {"Sec-WebSocket-Extensions", "x"},
                        {"Content-Length", "5"},
                        {"Transfer-Encoding", "chunked"}};
  for (const Header& header : bad)
    request({.host = "a", .headers = std::span(&header, 1)}, errc::header_invalid);
}

// --- accepted -----------------------------------------------------------------------------------

TEST_F(HandshakeClient, Accepted) {
  const Result result = expect(accepted + "Server: x\r\n\r\n", errc::none);
  EXPECT_TRUE(result.head.starts_with("HTTP/1.1 101 Switching Protocols|Upgrade: websocket\r\n"));
  EXPECT_TRUE(result.head.ends_with("Server: x\r\n"));
}

TEST_F(HandshakeClient, H10_FramesBehindTheAnswerAreLeftOver) {
  const std::string answer = accepted + "\r\n";
  EXPECT_EQ(receive({answer + "\x81\x02hi"}).taken, answer.size());
}

TEST_F(HandshakeClient, H7_ListsAndCase) {
  expect(
      "HTTP/1.1 101\r\nUPGRADE: foo, WebSocket\r\nconnection: keep-alive\r\nConnection: upgrade\r\n"
      "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n",
      errc::none);
}

TEST_F(HandshakeClient, Subprotocols) {
  const std::string_view names[] = {"chat", "superchat"};
  subprotocols = names;
  expect(accepted + "Sec-WebSocket-Protocol: superchat\r\n\r\n", errc::none);
  expect(accepted + "\r\n", errc::none);
  config.subprotocol_optional = false;
  expect(accepted + "Sec-WebSocket-Protocol: chat\r\n\r\n", errc::none);
  expect(accepted + "\r\n", errc::subprotocol_unoffered);
  subprotocols = {};
  expect(accepted + "\r\n", errc::none);
}

TEST_F(HandshakeClient, PermessageDeflate) {
  testing::FakeCodec codec;
  config.codec = &codec;
  const std::string header = "Sec-WebSocket-Extensions: ";
  EXPECT_EQ(expect(accepted + "\r\n", errc::none).deflate, std::nullopt);
  EXPECT_EQ(expect(accepted + header + "permessage-deflate\r\n\r\n", errc::none).deflate,
            DeflateParameters{});
  EXPECT_EQ(
      expect(accepted + "sec-websocket-extensions:permessage-deflate ; server_max_window_bits = 9\r\n\r\n",
             errc::none)
          .deflate,
      (DeflateParameters{.server_window_bits = 9}));
}

// --- refused ------------------------------------------------------------------------------------

TEST_F(HandshakeClient, H11_UnofferedSubprotocol) {
  const std::string header = "Sec-WebSocket-Protocol: ";
  expect(accepted + header + "chat\r\n\r\n", errc::subprotocol_unoffered);
  const std::string_view names[] = {"chat", "superchat"};
  subprotocols = names;
  for (const std::string value : {"Chat", "chat, superchat", "other", ""})
    expect(accepted + header + value + "\r\n\r\n", errc::subprotocol_unoffered);
  expect(accepted + header + "chat\r\n" + header + "chat\r\n\r\n", errc::subprotocol_unoffered);
}

TEST_F(HandshakeClient, H11_UnofferedExtension) {
  for (const std::string value : {"permessage-deflate", "foo; bar", "", ";"})
    expect(accepted + "Sec-WebSocket-Extensions: " + value + "\r\n\r\n", errc::extension_unoffered);
}

TEST_F(HandshakeClient, Z10_BadAnswersOfPermessageDeflate) {
  testing::FakeCodec codec;
  config.codec = &codec;
  const std::string header = "Sec-WebSocket-Extensions: ";
  for (const std::string value : {"foo; bar", "", ";", "permessage-deflate, foo"})
    EXPECT_EQ(expect(accepted + header + value + "\r\n\r\n", errc::extension_unoffered).deflate,
              std::nullopt);
  for (const std::string value : {"permessage-deflate; server_max_window_bits=16",
                                  "permessage-deflate; unknown", "permessage-deflate, permessage-deflate"})
    EXPECT_EQ(expect(accepted + header + value + "\r\n\r\n", errc::extension_refused).deflate, std::nullopt);
  // An agreement counts only with all the rest.
  EXPECT_EQ(expect(accepted + header + "permessage-deflate\r\nSec-WebSocket-Protocol: x\r\n\r\n",
                   errc::subprotocol_unoffered)
                .deflate,
            std::nullopt);
}

TEST_F(HandshakeClient, H11_WrongAccept) {
  const std::string start = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string right = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  expect(start + "\r\n", errc::accept_mismatch);
  expect(start + right + right + "\r\n", errc::accept_mismatch);
  for (const std::string value :
       {"s3pplmbitxaq9kygzzhzrbk+xoo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", "dGhlIHNhbXBsZSBub25jZQ==", "\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"", ""})
    expect(start + "Sec-WebSocket-Accept: " + value + "\r\n\r\n", errc::accept_mismatch);
}

TEST_F(HandshakeClient, H11_WrongUpgradeOrConnection) {
  const std::string rest = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  const std::string start = "HTTP/1.1 101 Yes\r\n";
  expect(start + "Connection: Upgrade\r\n" + rest, errc::upgrade_header_invalid);
  expect(start + "Upgrade: h2c\r\nConnection: Upgrade\r\n" + rest, errc::upgrade_header_invalid);
  expect(start + "Upgrade: websocket\r\n" + rest, errc::connection_header_invalid);
  expect(start + "Upgrade: websocket\r\nConnection: notupgrade\r\n" + rest, errc::connection_header_invalid);
}

TEST_F(HandshakeClient, H11_NotHttp) {
  for (const std::string head : {"\x15", "HTTP/1.1 101 Yes\n", "HTTP/1.1 101 Yes\r\nA: b\n",
                                 "HTTP/1.1 101 Yes\r\nA: b\r\n ", "HTTP/1.1 101 Yes\r\nA ", "HTTP/1.1 1x"})
    expect(head, errc::response_malformed);
  expect("HTTP/2.0 200 OK\r\n\r\n", errc::response_malformed);
  std::string old = accepted + "\r\n";
  old[7] = '0';
  expect(old, errc::response_malformed);
}

TEST_F(HandshakeClient, H11_InterimAnswersAreSkipped) {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\nA: b\r\n\r\nHTTP/1.1 103 E\r\nLink: c\r\n\r\n";
  const Result result = expect(interim + accepted + "\r\n", errc::none);
  EXPECT_TRUE(result.head.starts_with("HTTP/1.1 101 "));
  EXPECT_EQ(receive({interim}).state, HandshakeState::reading);
  EXPECT_EQ(receive({interim}).head, "|");
  std::string many;
  for (int i = 0; i < 8; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(receive({many + accepted + "\r\n"}).error, errc::none);
  expect(many + "HTTP/1.1 100 Continue\r\n\r\n", errc::status_unexpected);
  expect("HTTP/1.1 104 What\r\n\r\n", errc::status_unexpected);
}

TEST_F(HandshakeClient, H11_OtherStatuses) {
  for (const std::string status :
       {"200 OK", "301 Moved Permanently", "302 Found", "401 Unauthorized", "426 Upgrade Required"}) {
    const Result result = expect("HTTP/1.1 " + status + "\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nhello",
                                 errc::status_unexpected);
    EXPECT_EQ(result.body, "hello");
    EXPECT_TRUE(result.head.starts_with("HTTP/1.1 " + status + "|Location: /b\r\n"));
  }
  EXPECT_EQ(expect("HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno", errc::status_unexpected).body,
            "no");
  expect("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", errc::status_unexpected);
  expect("HTTP/1.1 204 No Content\r\n\r\n", errc::status_unexpected);
  expect("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", errc::status_unexpected);
}

TEST_F(HandshakeClient, RefusalInChunks) {
  const Result result = expect(
      "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\nContent-Length: "
      "1\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      errc::status_unexpected);
  EXPECT_EQ(result.body, "hello");
}

TEST_F(HandshakeClient, RefusalUntilTheEnd) {
  for (const std::string framing :
       {"", "Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: x\r\n",
        "Content-Length: 18446744073709551618\r\n", "Content-Length: 9\r\n", "Transfer-Encoding: gzip\r\n"}) {
    const std::string answer = "HTTP/1.1 500 Oh\r\n" + framing + "\r\nhello";
    EXPECT_EQ(receive({answer}).state, HandshakeState::reading);
    testing::for_each_split(answer, [&](const Pieces& pieces) {
      const Result result = receive(pieces, true);
      EXPECT_EQ(result.error, errc::status_unexpected);
      EXPECT_EQ(result.body, "hello");
    });
  }
}

TEST_F(HandshakeClient, RefusalIsKeptInPart) {
  const std::string head = "HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n";
  config.limits.refusal_body_max = 100;
  Result result = receive({head + std::string(1'000'000, 'x')});
  EXPECT_EQ(result.error, errc::status_unexpected);
  EXPECT_EQ(result.body, std::string(100, 'x'));
  EXPECT_EQ(result.taken, head.size() + 100);
  memory_size = head.size() + 10;
  result = receive({head + std::string(1000, 'x')});
  EXPECT_EQ(result.body, std::string(10, 'x'));
  config.limits.refusal_body_max = 0;
  EXPECT_EQ(receive({head}).error, errc::status_unexpected);
}

TEST_F(HandshakeClient, EofBeforeTheEndOfTheHead) {
  const std::string answer = accepted + "\r\n";
  for (std::size_t size = 0; size < answer.size(); ++size) {
    EXPECT_EQ(receive({answer.substr(0, size)}).state, HandshakeState::reading);
    const Result result = receive({answer.substr(0, size)}, true);
    EXPECT_EQ(result.state, HandshakeState::refused);
    EXPECT_EQ(result.error, errc::eof_in_handshake);
  }
  EXPECT_EQ(receive({answer}, true).state, HandshakeState::complete);
}

TEST_F(HandshakeClient, H1_NeverEndingAnswer) {
  std::string head = "HTTP/1.1 101 Yes\r\nX: ";
  head.resize(1 << 20, 'x');
  EXPECT_EQ(receive({head}).error, errc::head_too_large);
  EXPECT_EQ(receive({head}).taken, config.limits.head_bytes_max);
  std::string many = "HTTP/1.1 101 Yes\r\n";
  for (int i = 0; i < 1000; ++i) many += "a: b\r\n";
  EXPECT_EQ(receive({many}).error, errc::headers_too_many);
}

}  // namespace
}  // namespace sansock
