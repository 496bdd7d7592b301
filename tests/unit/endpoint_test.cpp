// The opening handshake in front of a Connection, behind one set of calls. What requests and answers
// are good is tested in handshake_server_test.cpp and handshake_client_test.cpp.
#include "sansock/endpoint.h"

#include "bench.h"
#include "pair.h"

namespace sansock::testing {
namespace {

using std::chrono::seconds;

const char* const request_text =
    "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";

// An Endpoint with all that it borrows. A server's accepts at once, if nothing else is said.
class EndpointBench {
 public:
  explicit EndpointBench(Role role, const Tweak& tweak = {})
      : config(make_config(tweak)), endpoint(role, config), h(endpoint), peer(role) {}

  void accept_at_once() {
    h.handler = [this](const Event& event) {
      if (event.kind != EventKind::request) return;
      EXPECT_FALSE(endpoint.accept());
    };
  }
  std::string output_text() const { return string_of(h.output); }

  TestPool pool{20'000};
  SeededEntropy entropy{3};
  Config config;
  Endpoint endpoint;
  EndpointHarness h;
  Peer peer;

 private:
  Config make_config(const Tweak& tweak) {
    Config made;
    made.pool = &pool;
    made.entropy = &entropy;
    if (tweak) tweak(made);
    return made;
  }
};

// The 101 answer to `request`, by way of a server of our own.
Data answer_to(const Data& request) {
  EndpointBench server(Role::server);
  server.accept_at_once();
  server.h.feed(request);
  return server.h.output;
}

TEST(Endpoint, ClientAndServerMeet) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, static_cast<std::size_t>(-1)}) {
    Pair<Endpoint> pair;
    EXPECT_FALSE(pair.client.send("to the server"));
    EXPECT_FALSE(pair.server.send("to the client"));
    pair.settle(chunk);
    EXPECT_FALSE(pair.client.close(CloseCode::normal, "enough"));
    pair.settle(chunk);
    pair.hang_up();
    EXPECT_EQ(pair.server_h.events.text(),
              "request\nopen\ntext \"to the server\"\npeer_close 1000 \"enough\"\nclosed clean 1000\n");
    EXPECT_EQ(pair.client_h.events.text(),
              "open\ntext \"to the client\"\npeer_close 1000\nclosed clean 1000\n");
  }
}

// H10: frames in the same read as the request come behind open, once and in order; every cut.
TEST(Endpoint, H10FramesBehindTheRequest) {
  Peer peer(Role::server);
  const Data stream = bytes_of(request_text) + peer.text("early") + peer.ping("p") + peer.close(1000);
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    EndpointBench bench(Role::server);
    bench.accept_at_once();
    bench.h.feed_cut(stream, {cut});
    bench.h.eof();
    ASSERT_EQ(bench.h.events.text(),
              "request\nopen\ntext \"early\"\nping \"p\"\npeer_close 1000\nclosed clean 1000\n")
        << cut;
  }
  EndpointBench bytewise(Role::server);
  bytewise.accept_at_once();
  bytewise.h.feed_bytewise(stream);
  EXPECT_EQ(bytewise.h.events.count(EventKind::data), 5u);
}

// As many control frames are allowed in the same read as the request as in later ones; every cut.
TEST(Endpoint, ControlFramesBehindTheRequestAreCounted) {
  Peer peer(Role::server);
  const Data stream =
      bytes_of(request_text) + peer.pong("1") + peer.pong("2") + peer.pong("3") + peer.pong("4");
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    EndpointBench bench(Role::server,
                        [](Config& config) { config.limits.control_frames_per_second_max = 3; });
    bench.accept_at_once();
    bench.h.feed_cut(stream, {cut});
    ASSERT_EQ(bench.h.events.count(EventKind::pong), 3u) << cut;
    ASSERT_EQ(bench.endpoint.close_status().cause, errc::control_flood) << cut;
  }
}

TEST(Endpoint, H10FramesBehindTheAnswer) {
  for (std::size_t cut = 0; cut < 200; ++cut) {
    EndpointBench bench(Role::client);
    ASSERT_FALSE(bench.endpoint.connect({.host = "example.com"}));
    bench.h.settle();
    const Data stream = answer_to(bench.h.output) + bench.peer.text("early") + bench.peer.text("bird");
    bench.h.feed_cut(stream, {cut});
    ASSERT_EQ(bench.h.events.text(), "open\ntext \"early\"\ntext \"bird\"\n") << cut;
  }
}

TEST(Endpoint, ViewsOfTheRequest) {
  EndpointBench bench(Role::server);
  EXPECT_EQ(bench.endpoint.request(), nullptr);
  EXPECT_EQ(bench.endpoint.state(), ReadyState::connecting);
  int seen = 0;
  bench.h.handler = [&](const Event& event) {
    if (event.kind != EventKind::request && event.kind != EventKind::open) return;
    ++seen;
    ASSERT_NE(bench.endpoint.request(), nullptr);
    EXPECT_EQ(bench.endpoint.request()->path(), "/chat");
    EXPECT_EQ(bench.endpoint.request()->query(), "room=1");
    EXPECT_EQ(bench.endpoint.request()->host(), "example.com");
    EXPECT_EQ(bench.endpoint.request()->subprotocols(), "chat, superchat");
    if (event.kind != EventKind::request) return;
    EXPECT_FALSE(bench.endpoint.accept({.subprotocol = "superchat"}));
  };
  bench.h.feed_bytewise(bytes_of(request_text));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(bench.endpoint.request(), nullptr);
  EXPECT_EQ(bench.pool.live(), 0u) << "an open connection holds no block";
  EXPECT_NE(bench.output_text().find("Sec-WebSocket-Protocol: superchat\r\n"), std::string::npos);
}

TEST(Endpoint, ViewsOfTheResponse) {
  EndpointBench bench(Role::client);
  ASSERT_FALSE(bench.endpoint.connect({.host = "example.com"}));
  bench.h.settle();
  int seen = 0;
  bench.h.handler = [&](const Event& event) {
    if (event.kind != EventKind::open) return;
    ++seen;
    ASSERT_NE(bench.endpoint.response(), nullptr);
    EXPECT_EQ(bench.endpoint.response()->status(), 101);
  };
  bench.h.feed_bytewise(answer_to(bench.h.output));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(bench.endpoint.response(), nullptr);
  EXPECT_EQ(bench.pool.live(), 0u);
}

// A refusal is kept, with its body, until the end.
TEST(Endpoint, RefusalIsThereAtClosed) {
  const std::string answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Why: because\r\n\r\nno way";
  for (const bool bytewise : {false, true}) {
    EndpointBench bench(Role::client);
    ASSERT_FALSE(bench.endpoint.connect({.host = "example.com"}));
    bench.h.settle();
    int seen = 0;
    bench.h.handler = [&](const Event& event) {
      ASSERT_EQ(event.kind, EventKind::closed);
      ++seen;
      ASSERT_NE(bench.endpoint.response(), nullptr);
      EXPECT_EQ(bench.endpoint.response()->status(), 403);
      EXPECT_EQ(bench.endpoint.response()->header("x-why"), "because");
      EXPECT_EQ(bench.endpoint.response()->body(), "no way");
    };
    bytewise ? bench.h.feed_bytewise(bytes_of(answer)) : bench.h.feed(bytes_of(answer));
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(bench.h.events.text(), "closed unclean 1006 status_unexpected\n");
  }
}

TEST(Endpoint, RefusalWhoseBodyEndsWithTheTransport) {
  EndpointBench bench(Role::client);
  ASSERT_FALSE(bench.endpoint.connect({.host = "example.com"}));
  bench.h.settle();
  bench.h.feed(bytes_of("HTTP/1.1 503 Busy\r\n\r\nlater, "));
  EXPECT_FALSE(bench.h.closed());
  bench.h.feed(bytes_of("please"));
  bench.h.eof();
  EXPECT_EQ(bench.h.events.text(), "closed unclean 1006 status_unexpected\n");
  ASSERT_NE(bench.endpoint.response(), nullptr);
  EXPECT_EQ(bench.endpoint.response()->body(), "later, please");
}

// --- answers that come later ----------------------------------------------------------------------

TEST(Endpoint, AcceptLater) {
  EndpointBench bench(Role::server);
  Peer peer(Role::server);
  bench.h.feed(bytes_of(request_text) + peer.text("waits"));
  EXPECT_TRUE(bench.endpoint.input_paused());
  EXPECT_FALSE(bench.endpoint.wants_input());
  EXPECT_EQ(bench.h.stash().size(), 6 + 5u) << "not looked at: to be fed again";
  bench.h.advance(seconds(9));
  EXPECT_EQ(bench.endpoint.state(), ReadyState::connecting);
  EXPECT_EQ(bench.endpoint.send("too early"), errc::not_open);
  EXPECT_FALSE(bench.endpoint.accept());
  EXPECT_EQ(bench.endpoint.accept(), errc::already_answered);
  EXPECT_EQ(bench.endpoint.respond({.status = 404}), errc::already_answered);
  EXPECT_FALSE(bench.endpoint.send("at once"));
  bench.h.resume();
  EXPECT_EQ(bench.h.events.text(), "request\nopen\ntext \"waits\"\n");
  const std::string output = bench.output_text();
  const std::size_t head = output.find("\r\n\r\n") + 4;
  EXPECT_EQ(describe(decode(bytes_of(output.substr(head))).frames.at(0)), "text \"at once\"");
}

TEST(Endpoint, NobodyAnswers) {
  EndpointBench bench(Role::server);
  bench.h.feed(bytes_of(request_text));
  bench.h.advance(seconds(10));
  EXPECT_EQ(bench.output_text().substr(0, 12), "HTTP/1.1 408");
  EXPECT_TRUE(bench.endpoint.accept());
  bench.h.eof();
  EXPECT_EQ(bench.h.events.text(), "request\nclosed unclean 1006 handshake_timeout\n");
}

TEST(Endpoint, TlsOnThePlainPortIsTold) {
  const Data hello = from_hex("16 03 01 02 00 01 00 01 fc 03 03");
  for (std::size_t cut = 0; cut < hello.size(); ++cut) {
    EndpointBench bench(Role::server);
    bench.h.feed_cut(hello, {cut});
    bench.h.eof();
    EXPECT_EQ(bench.h.events.text(), "request tls_unexpected\nclosed unclean 1006 tls_unexpected\n");
    EXPECT_TRUE(bench.output_text().starts_with("HTTP/1.1 400 Bad Request\r\n")) << bench.output_text();
    EXPECT_TRUE(
        bench.output_text().ends_with("\r\n\r\n" + std::string(describe(errc::tls_unexpected)) + "\n"))
        << bench.output_text();
  }
}

// H14: the client has left before the answer.
TEST(Endpoint, H14AnswerAfterTheClientHasLeft) {
  for (const bool reset : {false, true}) {
    EndpointBench bench(Role::server);
    bench.h.feed(bytes_of(request_text));
    if (reset) {
      bench.h.abort(errc::transport_error);
    } else {
      bench.h.eof();
    }
    EXPECT_TRUE(bench.h.closed());
    EXPECT_TRUE(bench.endpoint.accept());
    EXPECT_TRUE(bench.endpoint.respond({.status = 404}));
    EXPECT_EQ(bench.endpoint.output_size(), 0u);
    EXPECT_EQ(bench.endpoint.request(), nullptr);
    EXPECT_EQ(bench.pool.live(), 0u);
  }
}

TEST(Endpoint, RefuseWithAPage) {
  EndpointBench bench(Role::server);
  const std::string page(5000, 'p');
  bench.h.handler = [&](const Event& event) {
    if (event.kind != EventKind::request) return;
    EXPECT_EQ(event.error, errc::upgrade_missing);
    EXPECT_EQ(bench.endpoint.accept(), errc::no_request) << "there is nothing to upgrade";
    const Header headers[] = {{"X-A", "b"}};
    EXPECT_FALSE(bench.endpoint.respond(
        {.status = 200, .headers = headers, .content_type = "text/html", .body = as_bytes(page)}));
    EXPECT_EQ(bench.endpoint.respond({.status = 200}), errc::already_answered);
  };
  bench.h.feed_bytewise(bytes_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  bench.h.feed(bytes_of("GET /again HTTP/1.1\r\nHost: x\r\n\r\n"));  // H9: pipelined, discarded
  const std::string output = bench.output_text();
  EXPECT_EQ(output.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  for (const char* line : {"\r\nX-A: b\r\n", "\r\nConnection: close\r\n", "\r\nContent-Length: 5000\r\n",
                           "\r\nContent-Type: text/html\r\n"}) {
    EXPECT_NE(output.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(output.substr(output.find("\r\n\r\n") + 4), page);
  EXPECT_EQ(bench.endpoint.transport_action(), TransportAction::shutdown_write);
  bench.h.eof();
  EXPECT_EQ(bench.h.events.count(EventKind::request), 1u);
  EXPECT_TRUE(bench.h.closed());
}

TEST(Endpoint, DeferARefusal) {
  EndpointBench bench(Role::server);
  EXPECT_EQ(bench.endpoint.defer(), errc::no_request);
  bench.h.handler = [&](const Event& event) {
    if (event.kind != EventKind::request) return;
    EXPECT_FALSE(bench.endpoint.defer());
  };
  bench.h.feed(bytes_of("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"));
  bench.h.advance(seconds(1));
  EXPECT_EQ(bench.h.output.size(), 0u);
  ASSERT_NE(bench.endpoint.request(), nullptr);
  EXPECT_EQ(bench.endpoint.request()->target(), "/page");
  EXPECT_FALSE(bench.endpoint.respond({.status = 204}));
  bench.h.settle();
  EXPECT_EQ(bench.output_text().substr(0, 12), "HTTP/1.1 204");
}

// Misuse of the answer changes nothing: it can be given again.
TEST(Endpoint, BadAnswersChangeNothing) {
  EndpointBench bench(Role::server);
  bench.h.feed(bytes_of(request_text));
  const Header split[] = {{"X-A", "b\r\nX-Evil: 1"}};
  EXPECT_EQ(bench.endpoint.accept({.headers = split}), errc::header_invalid);
  EXPECT_EQ(bench.endpoint.accept({.subprotocol = "unoffered"}), errc::subprotocol_not_offered);
  EXPECT_EQ(bench.endpoint.respond({.status = 101}), errc::status_invalid);
  EXPECT_EQ(bench.endpoint.respond({.status = 403, .headers = split}), errc::header_invalid);
  EXPECT_EQ(bench.endpoint.connect({.host = "x"}), errc::role_wrong);
  EXPECT_EQ(bench.endpoint.output_size(), 0u);
  EXPECT_FALSE(bench.endpoint.accept());
  bench.h.resume();
  EXPECT_EQ(bench.endpoint.state(), ReadyState::open);
}

// --- its end before it began ----------------------------------------------------------------------

TEST(Endpoint, CloseDuringTheHandshake) {
  EndpointBench asked(Role::server);
  asked.h.feed(bytes_of(request_text));
  EXPECT_FALSE(asked.endpoint.close(CloseCode::going_away));
  asked.h.settle();
  EXPECT_EQ(asked.output_text().substr(0, 12), "HTTP/1.1 503");
  asked.h.eof();
  EXPECT_EQ(asked.h.events.text(), "request\nclosed unclean 1006 aborted\n");

  EndpointBench fresh(Role::server);
  EXPECT_FALSE(fresh.endpoint.close());
  fresh.h.settle();
  EXPECT_EQ(fresh.h.events.text(), "closed unclean 1006 aborted\n");

  EndpointBench client(Role::client);
  ASSERT_FALSE(client.endpoint.connect({.host = "x"}));
  client.h.settle();
  EXPECT_FALSE(client.endpoint.close());
  client.h.settle();
  EXPECT_EQ(client.h.events.text(), "closed unclean 1006 aborted\n");
  EXPECT_EQ(client.endpoint.transport_action(), TransportAction::close);
}

TEST(Endpoint, EofInsideTheHandshake) {
  for (std::size_t size = 0; size < bytes_of(request_text).size(); ++size) {
    EndpointBench bench(Role::server);
    Data part = bytes_of(request_text);
    part.resize(size);
    bench.h.feed(part);
    bench.h.eof();
    ASSERT_EQ(bench.h.events.text(), "closed unclean 1006 eof_in_handshake\n") << size;
    ASSERT_EQ(bench.pool.live(), 0u);
  }
  EndpointBench client(Role::client);
  ASSERT_FALSE(client.endpoint.connect({.host = "x"}));
  client.h.settle();
  client.h.feed(bytes_of("HTTP/1.1 101 Switching"));
  client.h.eof();
  EXPECT_EQ(client.h.events.text(), "closed unclean 1006 eof_in_handshake\n");
}

// The deadline is absolute: a byte now and then does not prolong it (H1).
TEST(Endpoint, H1RequestAByteASecond) {
  EndpointBench bench(Role::server);
  const Data request = bytes_of(request_text);
  std::size_t fed = 0;
  while (bench.endpoint.state() == ReadyState::connecting && fed < request.size()) {
    bench.h.feed({request[fed++]});
    bench.h.advance(seconds(1));
  }
  EXPECT_EQ(fed, 10u);
  EXPECT_EQ(bench.output_text().substr(0, 12), "HTTP/1.1 408");
  bench.h.eof();
  EXPECT_EQ(bench.h.events.text(), "closed unclean 1006 handshake_timeout\n");
}

TEST(Endpoint, HandshakeDeadlineWithoutAByte) {
  EndpointBench server(Role::server);
  server.h.advance(seconds(10));
  EXPECT_NE(server.endpoint.state(), ReadyState::connecting);
  if (!server.h.closed()) server.h.eof();
  EXPECT_EQ(server.h.events.text(), "closed unclean 1006 handshake_timeout\n");
  EndpointBench client(Role::client);
  ASSERT_FALSE(client.endpoint.connect({.host = "x"}));
  client.h.settle();
  client.h.advance(seconds(10));
  EXPECT_EQ(client.h.events.text(), "closed unclean 1006 handshake_timeout\n");
}

// The timers of the open connection start with it, not with the handshake.
TEST(Endpoint, ServerThatGivesUpWaitsForTheClosingFromThenOn) {
  EndpointBench bench(Role::server);
  bench.h.feed(bytes_of("GET / HT"));
  const Instant late = harness_start + bench.config.timeouts.opening_handshake;
  bench.endpoint.handle_timeout(late);
  EXPECT_EQ(bench.endpoint.deadline(), late + bench.config.timeouts.close);
  bench.h.pump();
}

TEST(Endpoint, TimersStartAtOpen) {
  EndpointBench bench(Role::server, [](Config& config) { config.timeouts.first_message = seconds(5); });
  bench.h.feed(bytes_of(request_text));
  bench.h.advance(seconds(8));
  ASSERT_FALSE(bench.endpoint.accept());
  bench.h.resume();
  bench.h.advance(seconds(4));
  EXPECT_EQ(bench.endpoint.state(), ReadyState::open);
  bench.h.advance(seconds(1));
  EXPECT_EQ(bench.endpoint.close_status().cause, errc::first_message_timeout);
}

TEST(Endpoint, AnotherConfigForTheConnection) {
  Config small;  // outlives the connection
  EndpointBench bench(Role::server);
  small = bench.config;
  small.limits.message_payload_max = 3;
  bench.h.handler = [&](const Event& event) {
    if (event.kind != EventKind::request) return;
    EXPECT_FALSE(bench.endpoint.accept({.config = &small}));
  };
  Peer peer(Role::server);
  bench.h.feed(bytes_of(request_text) + peer.text("abc") + peer.text("abcd"));
  EXPECT_EQ(&bench.endpoint.config(), &small);
  EXPECT_EQ(bench.endpoint.close_status().cause, errc::message_too_big);
}

TEST(Endpoint, ServerThatTalksBeforeItIsAsked) {
  EndpointBench bench(Role::client);
  bench.h.feed(bytes_of("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  EXPECT_EQ(bench.h.events.text(), "closed unclean 1006 response_malformed\n");
  EXPECT_TRUE(bench.endpoint.connect({.host = "x"}));
}

TEST(Endpoint, CommandsBeforeOpen) {
  for (const Role role : both_roles) {
    EndpointBench bench(role);
    Data lent = bytes_of("x");
    EXPECT_EQ(bench.endpoint.send("x"), errc::not_open);
    EXPECT_EQ(bench.endpoint.send_part(MessageType::text, as_bytes("x"), false), errc::not_open);
    EXPECT_EQ(bench.endpoint.send_borrowed(MessageType::text, std::as_writable_bytes(std::span(lent)), 1),
              errc::not_open);
    EXPECT_EQ(bench.endpoint.ping(), errc::not_open);
    EXPECT_EQ(bench.endpoint.pong(), errc::not_open);
    EXPECT_EQ(bench.endpoint.output_size(), 0u);
  }
}

// The handler ends it from inside request and open.
TEST(Endpoint, TrapHandlerEndsItInsideRequestOrOpen) {
  for (const EventKind where : {EventKind::request, EventKind::open}) {
    for (const bool abrupt : {false, true}) {
      EndpointBench bench(Role::server);
      bench.h.handler = [&](const Event& event) {
        if (event.kind == EventKind::request && where != event.kind) {
          EXPECT_FALSE(bench.endpoint.accept());
        }
        if (event.kind != where) return;
        if (abrupt) {
          bench.endpoint.abort(errc::aborted);
        } else {
          EXPECT_FALSE(bench.endpoint.close(CloseCode::going_away));
        }
      };
      Peer peer(Role::server);
      bench.h.feed(bytes_of(request_text) + peer.text("behind"));
      if (!bench.h.closed()) bench.h.eof();
      EXPECT_TRUE(bench.h.closed());
      EXPECT_EQ(bench.h.events.count(EventKind::closed), 1u);
      EXPECT_EQ(bench.pool.live(), 0u);
    }
  }
}

}  // namespace
}  // namespace sansock::testing
