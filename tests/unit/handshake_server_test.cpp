#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sansock/handshake.h"
#include "support/splits.h"

namespace sansock {
namespace {

using testing::Pieces;

struct Result {
  errc error;
  std::size_t taken;
  std::string head;
  bool operator==(const Result&) const = default;
};

void PrintTo(const Result& result, std::ostream* out) {
  *out << name(result.error) << " taken=" << result.taken << " " << result.head;
}

// A request from header lines; those of `replaced` take the place of, or are added to, the usual
// ones. An empty value leaves the usual one out.
using Lines = std::vector<std::pair<std::string, std::string>>;
std::string request_of(const Lines& replaced, const std::string& start = "GET /chat?a=b HTTP/1.1") {
  const Lines usual = {{"Host", "server.example.com"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                       {"Sec-WebSocket-Version", "13"}};
  std::string text = start + "\r\n";
  for (const auto& [name, value] : usual) {
    bool given = false;
    for (const auto& line : replaced) given = given || line.first == name;
    if (!given) text += name + ": " + value + "\r\n";
  }
  for (const auto& [name, value] : replaced) {
    if (!value.empty()) text += name + ": " + value + "\r\n";
  }
  return text + "\r\n";
}

class HandshakeServer : public ::testing::Test {
 protected:
  Result serve(const Pieces& pieces) {
    std::vector<std::byte> memory(64 << 10);
    ServerHandshake server(config, memory);
    Result result{};
    result.taken = testing::feed_pieces(server, pieces);
    result.error = server.error();
    const Request& request = server.request();
    result.head = std::string(request.start_line()) + "|" + std::string(request.header_lines());
    EXPECT_EQ(server.state() == HandshakeState::refused, server.error() != errc::none);
    if (server.state() != HandshakeState::reading) {
      EXPECT_EQ(server.feed(as_bytes("more")), 0u);
    }
    std::vector<std::byte> out(1024);
    std::size_t written = 0;
    EXPECT_EQ(server.write_accept({}, out, written),
              server.state() == HandshakeState::complete ? errc::none : errc::no_request);
    return result;
  }

  // A whole head ends like this, however it is cut, and what follows it is left over, to the byte.
  void expect(std::string_view request, errc wanted) {
    const Result whole = serve({request});
    EXPECT_EQ(whole.error, wanted) << name(whole.error) << " for " << request;
    EXPECT_EQ(whole.taken, request.size());
    testing::for_each_split(request,
                            [&](const Pieces& pieces) { EXPECT_EQ(serve(pieces), whole) << request; });
    const std::string more = std::string(request) + "\x81\x85" + "GET / HTTP/1.1\r\n\r\n";
    EXPECT_EQ(serve({more}), whole) << request;
    EXPECT_EQ(serve({request, "\x81"}), whole) << request;
  }
  void expect(const Lines& lines, errc wanted) { expect(request_of(lines), wanted); }

  // A broken head ends at its last byte, and nothing of it is shown.
  void expect_broken(std::string_view head, errc wanted) {
    const Result result{wanted, head.size(), "|"};
    testing::for_each_split(head, [&](const Pieces& pieces) { EXPECT_EQ(serve(pieces), result) << head; });
    EXPECT_EQ(serve({std::string(head) + "more"}), result) << head;
  }

  std::string accept(const std::string& request, const AcceptOptions& options, errc wanted = errc::none,
                     std::size_t room = 1024, const DeflateOptions* deflate = nullptr) {
    std::vector<std::byte> memory(8192);
    ServerHandshake server(config, memory);
    EXPECT_EQ(server.feed(as_bytes(request)), request.size());
    EXPECT_EQ(server.state(), HandshakeState::complete) << name(server.error());
    std::vector<std::byte> out(room);
    std::size_t written = 99;
    EXPECT_EQ(server.write_accept(options, out, written, deflate), wanted);
    if (wanted != errc::none) {
      EXPECT_EQ(written, 0u);
    }
    return std::string(as_text(ConstBytes(out).first(written)));
  }

  Config config;
};

// --- acceptable ---------------------------------------------------------------------------------

// RFC 6455 section 1.2 and 1.3
TEST_F(HandshakeServer, ExampleOfTheRfc) {
  const std::string request =
      "GET /chat HTTP/1.1\r\n"
      "Host: server.example.com\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Origin: http://server.example.com\r\n"
      "Sec-WebSocket-Protocol: chat, superchat\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "\r\n";
  expect(request, errc::none);
  EXPECT_EQ(accept(request, {.subprotocol = "chat"}),
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: chat\r\n"
            "\r\n");
}

TEST_F(HandshakeServer, ViewsOfTheRequest) {
  std::vector<std::byte> memory(4096);
  ServerHandshake server(config, memory);
  EXPECT_EQ(server.request().target(), "");
  const std::string text = request_of({{"Sec-WebSocket-Extensions", "foo; bar"}, {"Cookie", "a=b"}});
  server.feed(as_bytes(text));
  EXPECT_EQ(server.request().path(), "/chat");
  EXPECT_EQ(server.request().query(), "a=b");
  EXPECT_EQ(server.request().host(), "server.example.com");
  EXPECT_EQ(server.request().version(), 13);
  EXPECT_EQ(server.request().extensions(), "foo; bar");
  EXPECT_EQ(server.request().header("cookie"), "a=b");
}

TEST_F(HandshakeServer, Version8) {
  expect({{"Sec-WebSocket-Version", "8"}}, errc::none);
  expect({{"Sec-WebSocket-Version", "8"}, {"Sec-WebSocket-Origin", "http://server.example.com"}}, errc::none);
  expect({{"Sec-WebSocket-Version", "8"}, {"Sec-WebSocket-Origin", "http://evil.org"}}, errc::origin_refused);
  expect({{"Sec-WebSocket-Version", "8"}, {"Origin", "http://evil.org"}}, errc::origin_refused);
  config.version_8 = false;
  expect({{"Sec-WebSocket-Version", "8"}}, errc::version_unsupported);
  expect(Lines{}, errc::none);
}

TEST_F(HandshakeServer, UnknownExtensionsAreDeclined) {
  const std::string request =
      request_of({{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
                  {"Sec-WebSocket-Extensions", "x-foo"}});
  expect(request, errc::none);
  EXPECT_EQ(accept(request, {}).find("Extensions"), std::string::npos);
}

TEST_F(HandshakeServer, H10_FramesBehindTheRequestAreLeftOver) {
  const std::string request = request_of({});
  EXPECT_EQ(serve({request + std::string("\x81\x80\0\0\0\0", 6)}).taken, request.size());
}

// --- accepting ----------------------------------------------------------------------------------

TEST_F(HandshakeServer, AcceptWithHeadersAndSubprotocol) {
  const std::string request =
      request_of({{"Sec-WebSocket-Protocol", "a, b"}, {"Sec-WebSocket-Protocol", "c"}});
  const Header headers[] = {{"Set-Cookie", "a=b; Path=/"}, {"X-Empty", ""}};
  const std::string answer = accept(request, {.subprotocol = "c", .headers = headers});
  EXPECT_TRUE(
      answer.ends_with("\r\nSec-WebSocket-Protocol: c\r\nSet-Cookie: a=b; Path=/\r\nX-Empty: \r\n\r\n"));
  EXPECT_EQ(accept(request, {}).find("Sec-WebSocket-Protocol"), std::string::npos);
}

TEST_F(HandshakeServer, AcceptWithPermessageDeflate) {
  const DeflateOptions options{.server_no_context_takeover = true};
  const std::string request = request_of({{"Sec-WebSocket-Protocol", "chat"},
                                          {"Sec-WebSocket-Extensions", "x-foo, permessage-deflate; x"},
                                          {"Sec-WebSocket-Extensions", "permessage-deflate"}});
  const Header headers[] = {{"Server", "x"}};
  const std::string answer =
      accept(request, {.subprotocol = "chat", .headers = headers}, errc::none, 1024, &options);
  EXPECT_TRUE(
      answer.ends_with("\r\nSec-WebSocket-Protocol: chat\r\n"
                       "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
                       "Server: x\r\n\r\n"))
      << answer;
  // Not accepted if nobody says so, and not if nothing that is offered is acceptable.
  EXPECT_EQ(accept(request, {}).find("Extensions"), std::string::npos);
  const std::string other = request_of({{"Sec-WebSocket-Extensions", "x-foo, permessage-deflate; x"}});
  EXPECT_EQ(accept(other, {}, errc::none, 1024, &options).find("Extensions"), std::string::npos);
}

TEST_F(HandshakeServer, AcceptWithPermessageDeflateNeedsRoom) {
  const DeflateOptions options{.server_max_window_bits = 10};
  const std::string request = request_of({{"Sec-WebSocket-Extensions", "permessage-deflate"}});
  const std::size_t size = accept(request, {}, errc::none, 1024, &options).size();
  accept(request, {}, errc::none, size, &options);
  for (std::size_t room = 0; room < size; ++room) accept(request, {}, errc::memory_exhausted, room, &options);
}

TEST_F(HandshakeServer, DeflateIsAcceptableOnceTheRequestIs) {
  const DeflateOptions options{.client_max_window_bits = 10};
  const std::string request =
      request_of({{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"}});
  std::vector<std::byte> memory(8192);
  ServerHandshake server(config, memory);
  EXPECT_EQ(server.deflate_acceptable(options), std::nullopt);
  server.feed(as_bytes(std::string_view(request)));
  EXPECT_EQ(server.deflate_acceptable(options), (DeflateParameters{.client_window_bits = 10}));
  ServerHandshake refused(config, memory);
  const std::string bad =
      request_of({{"Sec-WebSocket-Extensions", "permessage-deflate"}, {"Sec-WebSocket-Extensions", ";"}});
  refused.feed(as_bytes(std::string_view(bad)));
  EXPECT_EQ(refused.error(), errc::extension_invalid);
  EXPECT_EQ(refused.deflate_acceptable(options), std::nullopt);
}

TEST_F(HandshakeServer, AcceptOnlyWhatWasOffered) {
  const std::string request = request_of({{"Sec-WebSocket-Protocol", "a, b"}});
  for (const std::string_view name : {"c", "A", "a, b", "a\r\nX: y"})
    accept(request, {.subprotocol = name}, errc::subprotocol_not_offered);
  accept(request_of({}), {.subprotocol = "a"}, errc::subprotocol_not_offered);
}

TEST_F(HandshakeServer, H12_AcceptRefusesHeadersThatMustNotBeSent) {
  const Header bad[] = {{"A\r\nB", "c"},
                        {"A", "b\r\nC: d"},
                        {"A", "b\nC"},
                        {"A", "b\rC"},
                        {"A", {"b\0c", 3}},
                        {"", "b"},
                        {"A ", "b"},
                        {"Connection", "close"},
                        {"UPGRADE", "h2c"},
                        {"A", "\x01"},
                        {"Content-Length", "0"},
                        {"sec-websocket-accept", "x"},
                        {"\xC3\xA4", ""},
                        {"Transfer-Encoding", "chunked"}};
  for (const Header& header : bad)
    accept(request_of({}), {.headers = std::span(&header, 1)}, errc::header_invalid);
}

TEST_F(HandshakeServer, AcceptNeedsRoom) {
  const std::size_t size = accept(request_of({}), {}).size();
  accept(request_of({}), {}, errc::none, size);
  for (std::size_t room = 0; room < size; ++room) accept(request_of({}), {}, errc::memory_exhausted, room);
}

// --- refused ------------------------------------------------------------------------------------

TEST_F(HandshakeServer, BrokenHeads) {
  expect_broken("\r", errc::head_malformed);
  expect_broken("GET / HTTP/1.1\n", errc::head_malformed);
  expect_broken("GET / HTTP/1.1\r\nHost ", errc::head_malformed);
  expect_broken("GET / HTTP/1.1\r\nHost: a\r\n ", errc::head_malformed);
  expect_broken("GET / HTTP/1.1\r\nHost: a\n", errc::head_malformed);
  expect_broken(std::string("GET / HTTP/1.1\r\nHost: a\0", 24), errc::head_malformed);
}

// The first byte tells: a record with a part of a TLS handshake (RFC 8446 section 5.1).
TEST_F(HandshakeServer, TlsOnThePlainPort) {
  expect_broken("\x16", errc::tls_unexpected);
  const std::string hello("\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03", 11);
  EXPECT_EQ(serve({hello}), (Result{errc::tls_unexpected, 1, "|"}));
  EXPECT_EQ(serve({"", hello}), (Result{errc::tls_unexpected, 1, "|"}));
  // Other records of TLS begin no connection, and elsewhere the byte means nothing.
  for (const char* const head : {"\x15", "\x17", "G\x16", "GET /\x16", "GET / HTTP/1.1\r\n\x16",
                                 "GET / HTTP/1.1\r\nHost: \x16", "GET / HTTP/1.1\r\nHost: a\r\n\r\x16"})
    expect_broken(head, errc::head_malformed);
}

TEST_F(HandshakeServer, H1_HeadOf1MiB) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  head.resize(1 << 20, 'x');
  const Result result = serve({head});
  EXPECT_EQ(result, (Result{errc::head_too_large, config.limits.head_bytes_max, "|"}));
  Pieces bytes;
  for (std::size_t i = 0; i < head.size(); ++i) bytes.push_back(std::string_view(head).substr(i, 1));
  EXPECT_EQ(serve(bytes), result);
}

TEST_F(HandshakeServer, H1_AThousandHeaders) {
  std::string head = "GET / HTTP/1.1\r\n";
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    if (i == config.limits.headers_max) taken = head.size() + 1;
    head += "a: b\r\n";
  }
  config.limits.head_bytes_max = 60'000;
  EXPECT_EQ(serve({head + "\r\n"}), (Result{errc::headers_too_many, taken, "|"}));
  config.limits.headers_max = 1000;
  EXPECT_EQ(serve({head + "\r\n"}).error, errc::host_invalid);
}

TEST_F(HandshakeServer, H2_ABytePerSegmentIsOneHead) {
  config.limits.head_bytes_max = 60'000;
  std::string request = request_of({{"X", std::string(50'000, 'x')}});
  Pieces bytes;
  for (std::size_t i = 0; i < request.size(); ++i) bytes.push_back(std::string_view(request).substr(i, 1));
  EXPECT_EQ(serve(bytes), serve({request}));
  EXPECT_EQ(serve(bytes).error, errc::none);
}

TEST_F(HandshakeServer, H3_NoUpgrade) {
  expect({{"Upgrade", ""}}, errc::upgrade_missing);
  expect({{"Upgrade", ""}, {"Connection", ""}, {"Sec-WebSocket-Key", ""}, {"Sec-WebSocket-Version", ""}},
         errc::upgrade_missing);
  expect("GET / HTTP/1.1\r\nHost: a\r\nUpgrade:\r\nConnection:\r\n\r\n", errc::upgrade_invalid);
  // Behind the limit of headers it is not looked for.
  config.limits.headers_max = 3;
  EXPECT_EQ(serve({"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\nUpgrade: websocket\r\n\r\n"}).error,
            errc::headers_too_many);
}

TEST_F(HandshakeServer, H4_LargeListsAreLinear) {
  config.limits.head_bytes_max = 65'535;
  for (const std::string_view header : {"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"}) {
    const errc wanted = header.ends_with("Protocol") ? errc::subprotocol_invalid : errc::extension_invalid;
    for (const char c : {' ', ',', '\\', '"', ';', '='}) {
      const std::string request = request_of({{std::string(header), std::string(64'000, c)}});
      const Result result = serve({request});
      EXPECT_EQ(result.error, wanted) << c;
      EXPECT_EQ(result.taken, request.size());
    }
  }
  // As many distinct tokens as fit.
  std::string tokens;
  for (int i = 0; tokens.size() < 60'000; ++i) tokens += std::to_string(i) + ",";
  EXPECT_EQ(serve({request_of({{"Sec-WebSocket-Protocol", tokens}})}).error, errc::subprotocol_invalid);
  EXPECT_EQ(serve({request_of({{"Sec-WebSocket-Extensions", tokens}})}).error, errc::none);
}

TEST_F(HandshakeServer, SubprotocolsOverRepeatedHeaders) {
  const std::string header = "Sec-WebSocket-Protocol";
  expect({{header, "a, b"}, {header, "c"}}, errc::none);
  expect({{header, "a"}, {header, " "}}, errc::none);
  expect({{header, "a, b"}, {header, "b"}}, errc::subprotocol_invalid);
  expect({{header, "a b"}}, errc::subprotocol_invalid);
  expect({{header, " "}}, errc::subprotocol_invalid);
}

TEST_F(HandshakeServer, ExtensionsOverRepeatedHeaders) {
  const std::string header = "Sec-WebSocket-Extensions";
  expect({{header, "a; b=c"}, {header, ","}, {header, "d"}}, errc::none);
  expect({{header, "a"}, {header, "b;"}, {header, "c"}}, errc::extension_invalid);
  expect({{header, " "}}, errc::extension_invalid);
}

TEST_F(HandshakeServer, H5_NamesOfOtherWorlds) {
  expect({{"Sec-WebSocket-Extensions", "constructor, __proto__; toString"},
          {"Sec-WebSocket-Protocol", "__proto__, hasOwnProperty"}},
         errc::none);
}

TEST_F(HandshakeServer, H6_KeyOf15Or17Bytes) {
  expect({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j"}}, errc::key_invalid);
  expect({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWU="}}, errc::key_invalid);
}

TEST_F(HandshakeServer, H6_KeyThatIsNotCanonicalBase64) {
  expect({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR=="}}, errc::key_invalid);
  expect({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j*Q=="}}, errc::key_invalid);
  expect({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==, x"}}, errc::key_invalid);
}

TEST_F(HandshakeServer, H6_MissingOrRepeatedKey) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  expect({{"Sec-WebSocket-Key", ""}}, errc::key_invalid);
  expect({{"Sec-WebSocket-Key", key}, {"Sec-WebSocket-Key", key}}, errc::key_invalid);
  expect({{"Sec-WebSocket-Key", key}, {"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="}}, errc::key_invalid);
}

TEST_F(HandshakeServer, H6_MissingOrRepeatedVersion) {
  expect({{"Sec-WebSocket-Version", ""}}, errc::version_missing);
  expect({{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Version", "13"}}, errc::version_missing);
  expect({{"Sec-WebSocket-Version", "13"}, {"SEC-WEBSOCKET-VERSION", "8"}}, errc::version_missing);
}

TEST_F(HandshakeServer, H6_OtherVersions) {
  for (const std::string version :
       {"0xd", "13, 8", "013", "+13", "13.0", "0", "7", "14", "1 3", "13;", "-1", " "})
    expect({{"Sec-WebSocket-Version", version}}, errc::version_unsupported);
  // White space around a value is not part of it (RFC 9110 section 5.5).
  expect({{"Sec-WebSocket-Version", " 13\t"}}, errc::none);
}

TEST_F(HandshakeServer, H7_ConnectionAndUpgradeAreLists) {
  expect({{"Connection", "keep-alive, Upgrade"}}, errc::none);
  expect({{"Connection", "keep-alive"}, {"Connection", "UPGRADE"}}, errc::none);
  expect({{"Upgrade", "websocket, foo"}}, errc::none);
  expect({{"Upgrade", "foo/2"}, {"upgrade", "WebSocket"}}, errc::none);
  expect({{"Connection", "notupgrade"}}, errc::upgrade_invalid);
  expect({{"Connection", "upgrade2"}}, errc::upgrade_invalid);
  expect({{"Connection", "\"upgrade\""}}, errc::upgrade_invalid);
  expect({{"Connection", ""}}, errc::upgrade_invalid);
  expect({{"Connection", "close"}}, errc::upgrade_invalid);
  expect({{"Upgrade", "h2c"}}, errc::upgrade_invalid);
  expect({{"Upgrade", "websockets"}}, errc::upgrade_invalid);
}

TEST_F(HandshakeServer, H8_Method) {
  for (const std::string method : {"POST", "get", "HEAD", "GETT", "OPTIONS", "CONNECT"})
    expect(request_of({}, method + " / HTTP/1.1"), errc::method_not_get);
}

TEST_F(HandshakeServer, H8_HttpVersion) {
  for (const std::string version : {"1.0", "1.2", "2.0", "0.9"})
    expect(request_of({}, "GET / HTTP/" + version), errc::http_version_unsupported);
}

TEST_F(HandshakeServer, H8_Target) {
  for (const std::string target :
       {"http://server.example.com/chat", "*", "server.example.com:80", "chat", "?a", "/a#b", "/\xC3\xA4"})
    expect(request_of({}, "GET " + target + " HTTP/1.1"), errc::target_invalid);
  for (const std::string target : {"/", "//", "/?", "/a?b?c", "/%41|{}\"<>\\^`"})
    expect(request_of({}, "GET " + target + " HTTP/1.1"), errc::none);
}

TEST_F(HandshakeServer, H8_Host) {
  expect({{"Host", ""}}, errc::host_invalid);
  expect({{"Host", " "}}, errc::host_invalid);
  expect({{"Host", "a"}, {"Host", "a"}}, errc::host_invalid);
  expect({{"Host", "a"}, {"HOST", "b"}}, errc::host_invalid);
  for (const std::string host : {"a b", "a,b c", "a/b", "a@b", "a:", "a:0", "a:99999", "[::1", "http://a"})
    expect({{"Host", host}}, errc::host_invalid);
  for (const std::string host : {"a:8080", "[::1]:80", "127.0.0.1"}) expect({{"Host", host}}, errc::none);
}

TEST_F(HandshakeServer, H8_Body) {
  expect({{"Content-Length", "0"}}, errc::none);
  expect({{"Content-Length", "5"}}, errc::body_unexpected);
  expect({{"Content-Length", "00"}}, errc::body_unexpected);
  expect({{"Content-Length", "-0"}}, errc::body_unexpected);
  expect({{"Content-Length", "0, 0"}}, errc::body_unexpected);
  expect({{"Content-Length", "0"}, {"content-length", "0"}}, errc::body_unexpected);
  expect({{"Transfer-Encoding", "chunked"}}, errc::body_unexpected);
  expect({{"Transfer-Encoding", "identity"}}, errc::body_unexpected);
  expect("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", errc::body_unexpected);
}

TEST_F(HandshakeServer, H9_PipelinedRequestIsNotTaken) {
  const std::string request = request_of({{"Sec-WebSocket-Key", "x"}});
  EXPECT_EQ(serve({request + request}).taken, request.size());
  std::vector<std::byte> out(512);
  const std::size_t size = ServerHandshake::write_refusal(errc::key_invalid, out);
  EXPECT_NE(as_text(ConstBytes(out).first(size)).find("\r\nConnection: close\r\n"), std::string_view::npos);
}

TEST_F(HandshakeServer, TheFirstThingThatIsWrongIsReported) {
  const Lines all_wrong = {{"Host", ""},
                           {"Content-Length", "5"},
                           {"Upgrade", "h2c"},
                           {"Sec-WebSocket-Version", "7"},
                           {"Sec-WebSocket-Key", "x"},
                           {"Sec-WebSocket-Protocol", "a a"},
                           {"Sec-WebSocket-Extensions", ";"},
                           {"Origin", "null"}};
  const errc order[] = {errc::host_invalid,        errc::body_unexpected, errc::upgrade_invalid,
                        errc::version_unsupported, errc::key_invalid,     errc::subprotocol_invalid,
                        errc::extension_invalid,   errc::origin_refused};
  for (std::size_t i = 0; i < all_wrong.size(); ++i)
    expect(Lines(all_wrong.begin() + static_cast<std::ptrdiff_t>(i), all_wrong.end()), order[i]);
  expect(request_of(all_wrong, "POST * HTTP/1.0"), errc::method_not_get);
  expect(request_of(all_wrong, "GET * HTTP/1.0"), errc::http_version_unsupported);
  expect(request_of(all_wrong, "GET * HTTP/1.1"), errc::target_invalid);
}

// --- origins ------------------------------------------------------------------------------------

TEST_F(HandshakeServer, H13_SameOriginByDefault) {
  expect(Lines{}, errc::none);  // no browser
  expect({{"Origin", "http://server.example.com"}}, errc::none);
  expect({{"Origin", "HTTP://SERVER.example.com:80"}}, errc::none);
  for (const std::string origin :
       {"null", "http://evil-server.example.com", "http://server.example.com.evil.org",
        "https://server.example.com", "http://server.example.com:8080", "http://evil.org",
        "server.example.com", " "})
    expect({{"Origin", origin}}, errc::origin_refused);
  expect({{"Origin", "http://server.example.com"}, {"Origin", "http://server.example.com"}},
         errc::origin_refused);
  // For version 13 that header means nothing.
  expect({{"Sec-WebSocket-Origin", "http://evil.org"}}, errc::none);
}

TEST_F(HandshakeServer, H13_OverTlsAndBehindAProxy) {
  const std::string origin = "https://server.example.com";
  config.secure = true;
  expect({{"Origin", origin}}, errc::none);
  expect({{"Origin", "http://server.example.com"}}, errc::origin_refused);
  config.secure = false;
  expect({{"Origin", origin}}, errc::origin_refused);
  config.origin_scheme_any = true;
  expect({{"Origin", origin}}, errc::none);
  expect({{"Origin", "https://evil.org"}}, errc::origin_refused);
}

TEST_F(HandshakeServer, H13_ListOfOrigins) {
  const std::string_view origins[] = {"https://a.example", "http://b.example:8080"};
  config.origin_policy = OriginPolicy::list;
  config.origins = origins;
  expect(Lines{}, errc::none);
  expect({{"Origin", "https://A.example:443"}}, errc::none);
  expect({{"Origin", "http://b.example:8080"}}, errc::none);
  for (const std::string origin :
       {"http://a.example", "http://b.example", "null", "http://server.example.com"})
    expect({{"Origin", origin}}, errc::origin_refused);
}

TEST_F(HandshakeServer, H13_AnyOrigin) {
  config.origin_policy = OriginPolicy::any;
  expect({{"Origin", "null"}}, errc::none);
  expect({{"Origin", "https://evil.org"}, {"Origin", "x"}}, errc::none);
}

}  // namespace
}  // namespace sansock
