// What upgrade requests are answered: routes, origins, versions, decisions now and later.
#include "server_fixture.h"

namespace sansock::test {
namespace {

class Request_ : public ServerTest {
 protected:
  std::string answer(std::string_view path, std::string_view extra = {}) {
    RawClient raw(address());
    std::string head = raw.upgrade(path, extra);
    return head.substr(0, head.find("\r\n"));
  }
};
INSTANTIATE_TEST_SUITE_P(Places, Request_, every_adapter_and_tls, place_name);

TEST_P(Request_, RouteByPath) {
  make();
  server().route("/chat", echo());
  server().route("/files/*", echo());
  start();
  EXPECT_EQ(answer("/chat"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/chat?x=/files"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/files/a/b"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(answer("/chat/"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(server().counters().refused, 2u);
}

TEST_P(Request_, OriginIsTheRoutesPolicy) {
  make();
  server().route("/same", {});
  server().route("/any", {.origin_policy = OriginPolicy::any});
  server().route("/list", {.origin_policy = OriginPolicy::list, .origins = {"https://good.example"}});
  start();
  const std::string own = over_tls() ? "https" : "http";
  const std::string other = over_tls() ? "http" : "https";
  EXPECT_EQ(answer("/same", "Origin: " + own + "://test.example\r\n"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/same", "Origin: " + other + "://test.example\r\n"), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(answer("/same", "Origin: http://evil.example\r\n"), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(answer("/same", "Origin: null\r\n"), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(answer("/same"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/any", "Origin: http://evil.example\r\n"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/list", "Origin: https://good.example\r\n"), "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(answer("/list", "Origin: https://good.example.evil\r\n"), "HTTP/1.1 403 Forbidden");
}

TEST_P(Request_, Version8IsTheRoutesChoice) {
  make();
  server().route("/both", echo());
  server().route("/new", {.version_8 = false});
  start();
  ClientOptions old = client_options();
  old.version = 8;
  Client client(old);
  ASSERT_FALSE(client.connect(url("/both")));
  EXPECT_EQ(echoed(client, "x"), "x");
  EXPECT_EQ(client.connect(url("/new")), errc::status_unexpected);
  EXPECT_EQ(client.response().status, 426);
  EXPECT_EQ(client.response().header("Sec-WebSocket-Version"), "13");
}

TEST_P(Request_, RejectedByTheApplication) {
  make();
  server().route("/", {.on_request = [](Peer&, const Request&) {
                   return Decision::reject(401, "who are you", {{"WWW-Authenticate", "Basic realm=\"x\""}});
                 }});
  start();
  Client client(client_options());
  EXPECT_EQ(client.connect(url()), errc::status_unexpected);
  EXPECT_EQ(client.response().status, 401);
  EXPECT_EQ(client.response().header("www-authenticate"), "Basic realm=\"x\"");
  EXPECT_EQ(client.response().body, "who are you");
  EXPECT_EQ(client.state(), ReadyState::closed);
  EXPECT_EQ(server().counters().refused, 1u);
  EXPECT_EQ(server().counters().opened, 0u);
}

// H9: what follows a refused upgrade is discarded, not taken for a request.
TEST_P(Request_, H9RefusedUpgradeWithPipelinedBytes) {
  make();
  server().route("/ok", echo());
  start();
  RawClient raw(address());
  raw.send(RawClient::request("/no") + RawClient::request("/ok") + RawClient::frame(1, "frame"));
  raw.finish();
  const std::string answers = raw.read_all();
  EXPECT_TRUE(raw.ended());
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 404 "));
  EXPECT_NE(answers.find("Connection: close"), std::string::npos);
  EXPECT_EQ(answers.find("HTTP/1.1", 8), std::string::npos);
  EXPECT_EQ(server().counters().opened, 0u);
}

TEST_P(Request_, AnswersThatCanNotBeSentBecome500) {
  make();
  server().route("/header", {.on_request = [](Peer&, const Request&) {
                   return Decision::accept({}, {{"X-Bad", "a\r\nX-Injected: b"}});
                 }});
  server().route("/subprotocol",
                 {.on_request = [](Peer&, const Request&) { return Decision::accept("not offered"); }});
  server().route("/status", {.on_request = [](Peer&, const Request&) { return Decision::reject(101); }});
  start();
  for (const char* path : {"/header", "/subprotocol", "/status"}) {
    EXPECT_EQ(answer(path), "HTTP/1.1 500 Internal Server Error") << path;
  }
}

TEST_P(Request_, SubprotocolBesidesTheRoutesList) {
  make();
  server().route("/", {.on_request = [](Peer&, const Request&) { return Decision::accept("own"); },
                       .on_open = [](Peer& peer) { peer.send(peer.subprotocol()); },
                       .subprotocols = {"listed"}});
  start();
  ClientOptions with = client_options();
  with.subprotocols = {"listed", "own"};
  Client client(with);
  ASSERT_FALSE(client.connect(url()));
  EXPECT_EQ(client.subprotocol(), "own");
  EXPECT_EQ(client.receive(std::chrono::seconds(20))->text(), "own");
}

TEST_P(Request_, HandshakeDeadline) {
  ServerOptions quick = options();
  quick.handshake_timeout = std::chrono::milliseconds(50);
  make(quick);
  server().route("/", echo());
  start();
  RawClient silent(address());
  RawClient slow(address());
  slow.send("GET / HTTP/1.1\r\n");
  slow.read_until("\r\n\r\n");
  EXPECT_TRUE(slow.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(silent.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  slow.close();
  silent.close();
  EXPECT_TRUE(eventually([this] { return server().counters().refused == 2; }));
}

TEST_P(Request_, LimitsOfTheHead) {
  ServerOptions small = options();
  small.handshake_limits.head_bytes_max = 512;
  make(small);
  server().route("/", echo());
  start();
  EXPECT_EQ(answer("/", "X-Long: " + std::string(600, 'x') + "\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(answer("/"), "HTTP/1.1 101 Switching Protocols");
}

// --- decided later --------------------------------------------------------------------------------

class Later : public Request_ {
 protected:
  // A route whose requests wait; their ids come in `waiting_`.
  void start_with_later(ServerOptions with) {
    make(std::move(with));
    Route route = echo();
    route.subprotocols = {"chat"};
    route.on_request = [this](Peer& peer, const Request& request) {
      {
        const std::lock_guard lock(mutex_);
        id_ = peer.id();
      }
      waiting_.add(std::string(request.query()));  // last: who sees it takes the id
      return Decision::later();
    };
    route.on_open = [this](Peer& peer) {
      log_.add(peer.request() == nullptr ? "open without request" : "open");
    };
    route.on_close = [this](Peer&, const CloseStatus&, std::string_view) { log_.add("close"); };
    server().route("/", route);
    start();
  }
  PeerId wait_for_request() {
    EXPECT_TRUE(eventually([this] { return waiting_.lines().size() == ++awaited_ || (--awaited_, false); }));
    const std::lock_guard lock(mutex_);
    return id_;
  }
  // Runs `task` on the peer's thread; whether the peer was there.
  template <class Task>
  void on_peer(PeerId id, Task task) {
    server().post(id, [this, task](Peer& peer) {
      task(peer);
      ran_ = true;
    });
  }

  Log waiting_;
  std::size_t awaited_ = 0;
  std::mutex mutex_;
  PeerId id_;
  std::atomic<bool> ran_{false};
};
INSTANTIATE_TEST_SUITE_P(Places, Later, every_place, place_name);

TEST_P(Later, AcceptedFromAnotherThread) {
  start_with_later(options());
  RawClient raw(address());
  raw.send(RawClient::request("/", "Sec-WebSocket-Protocol: chat\r\n") + RawClient::frame(1, "early"));
  const PeerId id = wait_for_request();
  on_peer(id, [this](Peer& peer) {
    EXPECT_EQ(peer.state(), ReadyState::connecting);
    EXPECT_EQ(peer.send("too early"), errc::not_open);
    ASSERT_NE(peer.request(), nullptr);
    EXPECT_FALSE(peer.decide(Decision::accept({}, {{"X-Late", "yes"}})));
    EXPECT_EQ(peer.decide(Decision::accept()), errc::already_answered);
    EXPECT_EQ(peer.decide(Decision::reject(403)), errc::already_answered);
    EXPECT_EQ(peer.subprotocol(), "chat");
    log_.add("decided");
  });
  raw.read_until(
      "\x81\x05"
      "early");
  const std::string& answer = raw.read_until("early");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 "));
  EXPECT_NE(answer.find("X-Late: yes"), std::string::npos);
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"decided", "open"}));
}

TEST_P(Later, RejectedLater) {
  start_with_later(options());
  Client client(client_options());
  std::thread decider([this] {
    on_peer(wait_for_request(), [](Peer& peer) {
      EXPECT_EQ(peer.decide(Decision::reject(101)), errc::status_invalid);  // nothing was answered yet
      EXPECT_FALSE(peer.decide(Decision::reject(403, "no")));
      EXPECT_TRUE(peer.decide(Decision::accept()));
    });
  });
  EXPECT_EQ(client.connect(url()), errc::status_unexpected);
  decider.join();
  EXPECT_EQ(client.response().status, 403);
  EXPECT_EQ(client.response().body, "no");
  EXPECT_TRUE(log_.lines().empty());
}

// H14: the client leaves while the answer is awaited.
TEST_P(Later, H14ClientIsReset) {
  start_with_later(options());
  RawClient raw(address());
  raw.send(RawClient::request());
  const PeerId id = wait_for_request();
  raw.reset();
  EXPECT_TRUE(eventually([this] { return server().counters().closed == 1; }) ||
              GetParam().transport == Transport::unix_path);
  on_peer(id, [](Peer& peer) { EXPECT_TRUE(peer.decide(Decision::accept())); });
  Client other(client_options());
  std::thread decider([this] {
    on_peer(wait_for_request(), [](Peer& peer) { EXPECT_FALSE(peer.decide(Decision::accept())); });
  });
  EXPECT_FALSE(other.connect(url()));
  decider.join();
  EXPECT_EQ(echoed(other, "alive"), "alive");
}

TEST_P(Later, H14ClientHalfClosesAndIsAcceptedAllTheSame) {
  start_with_later(options());
  RawClient raw(address());
  raw.send(RawClient::request());
  const PeerId id = wait_for_request();
  raw.finish();
  on_peer(id, [](Peer& peer) { EXPECT_FALSE(peer.decide(Decision::accept())); });
  EXPECT_TRUE(raw.read_all().starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(raw.ended());
  EXPECT_TRUE(eventually([this] { return log_.has("close"); }));
}

TEST_P(Later, DeadlineGoesOn) {
  ServerOptions quick = options();
  quick.handshake_timeout = std::chrono::milliseconds(50);
  start_with_later(quick);
  RawClient raw(address());
  raw.send(RawClient::request());
  const PeerId id = wait_for_request();
  EXPECT_TRUE(raw.read_until("\r\n\r\n").starts_with("HTTP/1.1 408 "));
  raw.close();
  ASSERT_TRUE(eventually([this] { return server().counters().closed == 1; }));
  on_peer(id, [](Peer& peer) { EXPECT_TRUE(peer.decide(Decision::accept())); });
  EXPECT_TRUE(log_.lines().empty());
  EXPECT_FALSE(ran_);
}

TEST_P(Later, DecidedInsideTheRequestItself) {
  make();
  server().route("/", {.on_request = [](Peer& peer, const Request&) {
                   EXPECT_FALSE(peer.decide(Decision::reject(402, "paid")));
                   return Decision::accept();
                 }});
  start();
  Client client(client_options());
  EXPECT_EQ(client.connect(url()), errc::status_unexpected);
  EXPECT_EQ(client.response().status, 402);
}

}  // namespace
}  // namespace sansock::test
