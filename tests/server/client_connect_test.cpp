// How a Client comes to its connection, or why not.
#include <csignal>

#include "invalid_deflate_options.h"
#include "server_fixture.h"

namespace sansock::test {
namespace {

class ClientConnect : public ServerTest {
 protected:
  // A server of bare bytes: answers the first request with `answer`, and then only reads.
  void serve_raw(std::string answer) {
    ASSERT_FALSE(listen_tcp({}, listener_));
    raw_url_ = scheme() + "://" + local_address(listener_.fd()).text() + "/";
    thread_ = std::thread([this, answer = std::move(answer)] {
      pollfd wait{listener_.fd(), POLLIN, 0};
      if (::poll(&wait, 1, raw_wait_ms) <= 0) return;
      RawStream stream(Socket(accept_nonblocking(listener_.fd())));
      if (over_tls() && !stream.handshake([](BlockPool& pool) { return tls_server()->make_engine(pool); }))
        return;
      request_ = stream.read_until("\r\n\r\n");
      if (stream.ended()) return;
      if (!answer.empty()) {
        stream.send(answer);
        stream.finish();
      }
      stream.read_all();
    });
  }
  void TearDown() override {
    if (thread_.joinable()) thread_.join();
    ServerTest::TearDown();
  }
  std::string header(std::string_view name) {
    std::string value = "none";
    HttpHead(std::string_view(request_).substr(0, request_.find("\r\n\r\n") + 2))
        .for_each_header([&](const Header& line) {
          if (line.name == name) value = line.value;
        });
    return value;
  }

  Socket listener_;
  std::string raw_url_;
  std::string request_;
  std::thread thread_;
};
INSTANTIATE_TEST_SUITE_P(Places, ClientConnect, every_adapter_and_tls, place_name);

TEST_P(ClientConnect, SendsWhatItWasTold) {
  serve_raw("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A: 1\r\nX-A: 2\r\n\r\nno!");
  ClientOptions options = client_options();
  options.headers = {{"X-Token", "t"}};
  options.origin = "https://example.com";
  options.subprotocols = {"a", "b"};
  options.authorization = "loses:always";
  Client client(options);
  std::string with_credentials = raw_url_;
  with_credentials.insert(scheme().size() + 3, "user:p%40ss@");
  EXPECT_EQ(client.connect(with_credentials + "path?q=1"), errc::status_unexpected);
  thread_.join();
  EXPECT_TRUE(request_.starts_with("GET /path?q=1 HTTP/1.1\r\n"));
  EXPECT_EQ(header("Host"), local_address(listener_.fd()).text());
  EXPECT_EQ(header("X-Token"), "t");
  EXPECT_EQ(header("Origin"), "https://example.com");
  EXPECT_EQ(header("Sec-WebSocket-Protocol"), "a, b");
  EXPECT_EQ(header("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(header("Authorization"), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(client.response().status, 404);
  EXPECT_EQ(client.response().body, "no!");
  EXPECT_EQ(client.response().header("x-a"), "1");
  EXPECT_EQ(client.response().headers.size(), 3u);
  EXPECT_FALSE(client.response().header("missing"));
  EXPECT_EQ(client.url(), with_credentials + "path?q=1");
}

TEST_P(ClientConnect, Version8HasItsOwnOriginHeader) {
  serve_raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  ClientOptions options = client_options();
  options.version = 8;
  options.origin = "https://example.com";
  options.authorization = "user:pass";
  Client client(options);
  EXPECT_EQ(client.connect(raw_url_), errc::status_unexpected);
  thread_.join();
  EXPECT_EQ(header("Sec-WebSocket-Version"), "8");
  EXPECT_EQ(header("Sec-WebSocket-Origin"), "https://example.com");
  EXPECT_EQ(header("Origin"), "none");
  EXPECT_EQ(header("Authorization"), "Basic dXNlcjpwYXNz");
}

TEST_P(ClientConnect, WrongAcceptKey) {
  serve_raw(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  Client client(client_options());
  EXPECT_EQ(client.connect(raw_url_), errc::accept_mismatch);
  EXPECT_EQ(client.response().status, 101);
}

TEST_P(ClientConnect, NotHttp) {
  serve_raw("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  Client client(client_options());
  EXPECT_EQ(client.connect(raw_url_), errc::response_malformed);
}

TEST_P(ClientConnect, ServerThatNeverAnswers) {
  serve_raw("");
  ClientOptions options = client_options();
  options.timeouts.opening_handshake = std::chrono::milliseconds(50);
  Client client(options);
  const std::error_code error = client.connect(raw_url_);
  EXPECT_EQ(error, errc::handshake_timeout);
  EXPECT_EQ(error, condition::timed_out);
  EXPECT_EQ(client.state(), ReadyState::closed);
  EXPECT_EQ(client.fd(), -1);
}

TEST_P(ClientConnect, ServerThatLeaves) {
  serve_raw("HTTP/1.1 101 Switching");
  Client client(client_options());
  EXPECT_EQ(client.connect(raw_url_), errc::eof_in_handshake);
}

TEST_P(ClientConnect, NobodyListens) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({}, listener));
  const std::string dead = scheme() + "://" + local_address(listener.fd()).text() + "/";
  listener.reset();
  Client client(client_options());
  const std::error_code error = client.connect(dead);
  EXPECT_EQ(error, std::errc::connection_refused);
  EXPECT_EQ(error.category(), std::system_category());
  EXPECT_EQ(client.connect("ws+unix:/tmp/sansock-nobody-here:/"), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(client.response().status);
}

// A listener whose backlog is full answers no SYN.
TEST_P(ClientConnect, ConnectTimeout) {
  Socket listener;
  ASSERT_FALSE(listen_tcp({.backlog = 0}, listener));
  const Address at = local_address(listener.fd());
  std::vector<Socket> fillers;
  bool full = false;
  for (int i = 0; i < 16 && !full; ++i) {
    Socket filler;
    full = bool(
        connect_tcp({.host = at.host, .port = at.port, .timeout = std::chrono::milliseconds(50)}, filler));
    if (!full) fillers.push_back(std::move(filler));
  }
  if (!full) GTEST_SKIP() << "this kernel does not let a backlog fill up";
  ClientOptions options = client_options();
  options.connect_timeout = std::chrono::milliseconds(50);
  Client client(options);
  EXPECT_EQ(client.connect(scheme() + "://" + at.text() + "/"), errc::connect_timeout);
}

TEST_P(ClientConnect, UrlsAndOptionsThatAreNone) {
  Client client(client_options());
  if (!tls_built_in()) {
    EXPECT_EQ(client.connect("wss://example.com/"), errc::url_scheme_unsupported);
  }
  EXPECT_EQ(client.connect("ftp://example.com/"), errc::url_invalid);
  EXPECT_EQ(client.connect("ws://example.com/#x"), errc::url_invalid);
  EXPECT_TRUE(client.connect("ws://256.256.256.256/"));
  EXPECT_EQ(client.state(), ReadyState::closed);
  EXPECT_EQ(client.send("x"), errc::not_open);
  EXPECT_EQ(client.close(), errc::not_open);
  EXPECT_FALSE(client.receive());
  EXPECT_FALSE(client.timed_out());
}

TEST_P(ClientConnect, HeadersThatMustNotBeSent) {
  make();
  server().route("/", echo());
  start();
  for (const auto& [name, value] :
       {std::pair{"X-A", "a\r\nX-B: b"}, std::pair{"Host", "other"}, std::pair{"X A", "a"}}) {
    ClientOptions options = client_options();
    options.headers = {{name, value}};
    Client client(options);
    EXPECT_EQ(client.connect(url()), errc::header_invalid) << name;
    EXPECT_EQ(client.fd(), -1);
  }
  ClientOptions options = client_options();
  options.version = 12;
  EXPECT_EQ(Client(options).connect(url()), errc::config_invalid);
}

TEST_P(ClientConnect, LocalAddressAndFamily) {
  make();
  server().route("/", {.on_open = [](Peer& peer) { peer.send(peer.remote_address().host); }});
  start();
  ClientOptions options = client_options();
  options.local_address = "127.0.0.7";
  options.family = 4;
  Client client(options);
  ASSERT_FALSE(client.connect(url()));
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "127.0.0.7");
  options.family = 6;
  Client other(options);
  EXPECT_TRUE(other.connect(url()));  // an IPv4 literal has no such address
}

TEST_P(ClientConnect, OverASocketThatIsConnected) {
  make();
  server().route("/", echo());
  start();
  const Address at = address();  // TLS is the client's own affair
  RawClient raw(at);
  Client client(client_options());
  ASSERT_FALSE(client.connect_fd(raw.release(), scheme() + "://localhost/"));
  EXPECT_EQ(echoed(client, "x"), "x");
  EXPECT_GE(client.fd(), 0);
  RawClient second(at);
  EXPECT_EQ(client.connect_fd(second.release(), "nonsense"), errc::url_invalid);
}

TEST_P(ClientConnect, AgainAfterTheEnd) {
  make();
  server().route("/", echo());
  start();
  Client client(client_options());
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(client.connect(url()));
    EXPECT_EQ(echoed(client, "x"), "x");
    if (i == 0) {
      EXPECT_FALSE(client.close());
    }
  }
  Client moved = std::move(client);
  EXPECT_EQ(echoed(moved, "y"), "y");
  Client target(client_options());
  ASSERT_FALSE(target.connect(url()));
  target = std::move(moved);
  EXPECT_EQ(echoed(target, "z"), "z");
}

TEST_P(ClientConnect, InvalidOptionsOfCompression) {
  make();
  server().route("/", echo());
  start();
  for (const DeflateOptions& invalid : testing::invalid_deflate_options) {
    ClientOptions given = client_options();
    given.deflate = invalid;
    const std::error_code error = Client(given).connect(url());
    // Where compression is not built in they mean nothing.
    EXPECT_EQ(error, deflate_built_in() ? make_error_code(errc::config_invalid) : std::error_code{});
  }
}

}  // namespace
}  // namespace sansock::test
