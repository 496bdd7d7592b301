// permessage-deflate in the opening handshake of an Endpoint: who opens a stream of the codec, and that it is
// closed, whatever happens. What offers and answers are good is tested in deflate_negotiation_test.cpp.
#include "bench.h"
#include "fake_codec.h"
#include "pair.h"
#include "sansock/endpoint.h"

namespace sansock::testing {
namespace {

std::string request_with(const std::string& extensions) {
  return "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         (extensions.empty() ? "" : "Sec-WebSocket-Extensions: " + extensions + "\r\n") + "\r\n";
}

// An Endpoint that has a codec. A server's accepts as `accept_options` say and keeps the result.
class DeflateBench {
 public:
  explicit DeflateBench(Role role, const DeflateOptions& options = {}) {
    config.pool = &pool;
    config.entropy = &entropy;
    config.codec = &codec;
    config.deflate = options;
    endpoint.emplace(role, config);
    h.emplace(*endpoint);
    h->handler = [this](const Event& event) {
      if (event.kind == EventKind::request) accepted = endpoint->accept(accept_options);
    };
  }
  void finish() {
    h.reset();
    endpoint.reset();
  }
  std::string output_text() const { return string_of(h->output); }
  // Of the answer or request that was sent.
  std::string extensions() const {
    const std::string text = output_text();
    const std::string name = "\r\nSec-WebSocket-Extensions: ";
    const std::size_t at = text.find(name);
    if (at == text.npos) return "";
    return text.substr(at + name.size(), text.find('\r', at + name.size()) - at - name.size());
  }
  void connect() {
    ASSERT_FALSE(endpoint->connect({.host = "example.com"}));
    h->settle();
  }
  // The answer of a server without a codec, with this header in it.
  Data answer_with(const std::string& extensions) const {
    Config plain = config;
    plain.codec = nullptr;
    Endpoint server(Role::server, plain);
    EndpointHarness server_h(server);
    server_h.handler = [&](const Event& event) {
      if (event.kind == EventKind::request) {
        EXPECT_FALSE(server.accept());
      }
    };
    server_h.feed(h->output);
    std::string text = string_of(server_h.output);
    if (!extensions.empty()) text.insert(text.size() - 2, "Sec-WebSocket-Extensions: " + extensions + "\r\n");
    return bytes_of(text);
  }

  TestPool pool{20'000};
  SeededEntropy entropy{3};
  FakeCodec codec;
  Config config;
  AcceptOptions accept_options;
  std::error_code accepted;
  std::optional<Endpoint> endpoint;
  std::optional<EndpointHarness> h;
};

TEST(DeflateOpening, ClientAndServerAgree) {
  FakeCodec codec;
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, static_cast<std::size_t>(-1)}) {
    const std::size_t before = codec.streams().size();
    Pair<Endpoint> pair([&](Config& config) {
      config.codec = &codec;
      config.deflate = {.server_no_context_takeover = true, .client_max_window_bits = 11};
    });
    const DeflateParameters agreed{.server_no_context_takeover = true, .client_window_bits = 11};
    ASSERT_EQ(codec.streams().size(), before + 2);
    EXPECT_EQ(codec.streams()[before]->role, Role::server);
    EXPECT_EQ(codec.streams()[before + 1]->role, Role::client);
    for (std::size_t i = before; i < before + 2; ++i) {
      EXPECT_EQ(codec.streams()[i]->parameters, agreed);
      EXPECT_EQ(codec.streams()[i]->options.client_max_window_bits, 11);
      EXPECT_FALSE(codec.streams()[i]->closed);
    }
    EXPECT_EQ(pair.server.deflate(), agreed);
    EXPECT_EQ(pair.client.deflate(), agreed);
    EXPECT_FALSE(pair.client.close());
    pair.settle(chunk);
    pair.hang_up();
    EXPECT_EQ(pair.server.deflate(), agreed) << "also after the end";
  }
  EXPECT_EQ(codec.live(), 0u);
}

TEST(DeflateOpening, EveryParameterIsKept) {
  for (unsigned i = 0; i < 256; ++i) {
    const DeflateParameters wanted{
        .server_no_context_takeover = (i & 1) != 0,
        .client_no_context_takeover = (i & 2) != 0,
        .server_window_bits = static_cast<std::uint8_t>(window_bits_min + (i >> 2) % 8),
        .client_window_bits = static_cast<std::uint8_t>(window_bits_min + (i >> 5) % 8)};
    DeflateBench bench(Role::server, {.server_no_context_takeover = wanted.server_no_context_takeover,
                                      .client_no_context_takeover = wanted.client_no_context_takeover,
                                      .server_max_window_bits = wanted.server_window_bits,
                                      .client_max_window_bits = wanted.client_window_bits});
    bench.h->feed(bytes_of(request_with("permessage-deflate; client_max_window_bits")));
    ASSERT_EQ(bench.endpoint->deflate(), wanted) << i;
    ASSERT_EQ(bench.codec.streams().at(0)->parameters, wanted) << i;
  }
}

TEST(DeflateOpening, OneSideHasNoCodec) {
  for (const Role role : both_roles) {
    DeflateBench bench(role);
    if (role == Role::client) {
      bench.connect();
      EXPECT_EQ(bench.extensions(), "permessage-deflate; client_max_window_bits");
      bench.h->feed(bench.answer_with(""));
    } else {
      bench.h->feed(bytes_of(request_with("")));
      EXPECT_EQ(bench.extensions(), "");
    }
    EXPECT_EQ(bench.endpoint->state(), ReadyState::open);
    EXPECT_EQ(bench.endpoint->deflate(), std::nullopt);
    EXPECT_EQ(bench.codec.asked(), 0u);
  }
  DeflateBench bench(Role::server);
  bench.config.codec = nullptr;
  bench.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(bench.extensions(), "");
  EXPECT_EQ(bench.endpoint->state(), ReadyState::open);
}

TEST(DeflateOpening, ConnectionAloneHasNone) {
  FakeCodec codec;
  Bench bench(Role::server, [&](Config& config) { config.codec = &codec; });
  EXPECT_EQ(bench.connection.deflate(), std::nullopt);
  EXPECT_EQ(codec.asked(), 0u);
}

// --- the server's side ----------------------------------------------------------------------------

TEST(DeflateOpening, ServerAnswersAnAcceptableOfferByteByByte) {
  DeflateBench bench(Role::server);
  bench.h->feed_bytewise(bytes_of(request_with(
      "x-foo, permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=9")));
  EXPECT_EQ(bench.extensions(), "permessage-deflate; server_max_window_bits=9");
  EXPECT_EQ(bench.endpoint->deflate(), (DeflateParameters{.server_window_bits = 9}));
}

// Row Z10: a server declines, and never refuses, what it can not accept.
TEST(DeflateOpening, Z10_ServerGoesOnWithoutAnAcceptableOffer) {
  for (const std::string offer :
       {"permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits=08",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; unknown"}) {
    DeflateBench bench(Role::server);
    bench.h->feed(bytes_of(request_with(offer)));
    EXPECT_EQ(bench.extensions(), "") << offer;
    EXPECT_EQ(bench.h->events.text(), "request\nopen\n") << offer;
    EXPECT_EQ(bench.endpoint->deflate(), std::nullopt) << offer;
    EXPECT_EQ(bench.codec.asked(), 0u) << offer;
  }
}

TEST(DeflateOpening, Z10_ServerRefusesBrokenGrammar) {
  for (const std::string offer : {"permessage-deflate; server_max_window_bits=", "permessage-deflate;", ";",
                                  "permessage-deflate; server_max_window_bits=\"\""}) {
    DeflateBench bench(Role::server);
    bench.h->feed(bytes_of(request_with(offer)));
    EXPECT_EQ(bench.accepted, errc::no_request) << offer;
    EXPECT_TRUE(bench.output_text().starts_with("HTTP/1.1 400 ")) << offer;
    EXPECT_EQ(bench.codec.asked(), 0u) << offer;
  }
}

TEST(DeflateOpening, ServerWithoutMemoryDeclines) {
  DeflateBench bench(Role::server);
  bench.codec.refuse(true);
  bench.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(bench.codec.asked(), 1u);
  EXPECT_EQ(bench.extensions(), "");
  EXPECT_EQ(bench.h->events.text(), "request\nopen\n");
  EXPECT_EQ(bench.endpoint->deflate(), std::nullopt);
}

// A route's configuration decides, not that of the handshake.
TEST(DeflateOpening, TheConfigOfTheConnectionDecides) {
  DeflateBench with(Role::server);
  FakeCodec other;
  Config route = with.config;
  route.codec = &other;
  route.deflate.server_max_window_bits = 10;
  with.accept_options.config = &route;
  with.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(with.extensions(), "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(other.live(), 1u);
  EXPECT_EQ(with.codec.asked(), 0u);
  with.finish();
  EXPECT_EQ(other.live(), 0u);

  DeflateBench without(Role::server);
  Config plain = without.config;
  plain.codec = nullptr;
  without.accept_options.config = &plain;
  without.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(without.extensions(), "");
  EXPECT_EQ(without.codec.asked(), 0u);
  without.finish();
}

// Misuse changes nothing, also in the codec; then it can be accepted nevertheless.
TEST(DeflateOpening, BadAnswersCloseTheStream) {
  DeflateBench bench(Role::server);
  const Header split[] = {{"X-A", "b\r\nX-Evil: 1"}};
  const Header own[] = {{"sec-websocket-extensions", "permessage-deflate"}};
  const std::string long_value(20'000, 'x');
  const Header large[] = {{"X-A", long_value}};
  TestPool other_pool{20'000};
  Config other = bench.config;
  other.pool = &other_pool;
  bench.h->handler = nullptr;
  bench.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(bench.endpoint->accept({.headers = split}), errc::header_invalid);
  EXPECT_EQ(bench.endpoint->accept({.headers = own}), errc::header_invalid);
  EXPECT_EQ(bench.endpoint->accept({.headers = large}), errc::memory_exhausted);
  EXPECT_EQ(bench.endpoint->accept({.subprotocol = "unoffered"}), errc::subprotocol_not_offered);
  EXPECT_EQ(bench.endpoint->accept({.config = &other}), errc::config_invalid);
  bench.pool.set_limit(bench.pool.live());
  EXPECT_EQ(bench.endpoint->accept(), errc::blocks_exhausted);
  bench.pool.set_limit(TestPool::unlimited);
  EXPECT_EQ(bench.codec.live(), 0u);
  EXPECT_EQ(bench.endpoint->deflate(), std::nullopt);
  EXPECT_EQ(bench.endpoint->output_size(), 0u);
  EXPECT_FALSE(bench.endpoint->accept());
  EXPECT_EQ(bench.codec.live(), 1u);
  EXPECT_EQ(bench.endpoint->accept(), errc::already_answered);
  EXPECT_EQ(bench.codec.live(), 1u);
  bench.h->resume();
  EXPECT_EQ(bench.endpoint->state(), ReadyState::open);
  bench.finish();
  EXPECT_EQ(bench.codec.live(), 0u);
}

TEST(DeflateOpening, RefusedRequestsOpenNoStream) {
  DeflateBench bench(Role::server);
  bench.h->handler = [&](const Event& event) {
    if (event.kind != EventKind::request) return;
    EXPECT_FALSE(bench.endpoint->respond({.status = 404}));
  };
  bench.h->feed(bytes_of(request_with("permessage-deflate")));
  EXPECT_EQ(bench.codec.asked(), 0u);
  EXPECT_EQ(bench.output_text().find("Extensions"), std::string::npos);
}

// However it ends: before the answer, inside request, inside open, and later.
TEST(DeflateOpening, StreamsOfServersAreClosedWhateverHappens) {
  for (const EventKind where : {EventKind::request, EventKind::open, EventKind::none}) {
    for (const bool abrupt : {false, true}) {
      DeflateBench bench(Role::server);
      const auto end = [&] {
        if (abrupt) {
          bench.endpoint->abort(errc::aborted);
        } else {
          EXPECT_FALSE(bench.endpoint->close(CloseCode::going_away));
        }
      };
      bench.h->handler = [&](const Event& event) {
        if (event.kind == EventKind::request) {
          EXPECT_FALSE(bench.endpoint->accept());
        }
        if (event.kind == where) end();
      };
      bench.h->feed(bytes_of(request_with("permessage-deflate")));
      if (where == EventKind::none) end();
      bench.h->settle();
      if (!bench.h->closed()) bench.h->eof();
      EXPECT_TRUE(bench.h->closed());
      EXPECT_EQ(bench.codec.asked(), 1u);
      bench.finish();
      EXPECT_EQ(bench.codec.live(), 0u);
    }
  }
}

// --- the client's side ----------------------------------------------------------------------------

TEST(DeflateOpening, ClientTakesAnAnswerByteByByte) {
  DeflateBench bench(Role::client);
  bench.connect();
  bench.h->feed_bytewise(
      bench.answer_with("permessage-deflate; client_max_window_bits=9; server_no_context_takeover"));
  EXPECT_EQ(bench.h->events.text(), "open\n");
  EXPECT_EQ(bench.endpoint->deflate(),
            (DeflateParameters{.server_no_context_takeover = true, .client_window_bits = 9}));
  EXPECT_EQ(bench.codec.live(), 1u);
  bench.finish();
  EXPECT_EQ(bench.codec.live(), 0u);
}

TEST(DeflateOpening, Z10_ClientFailsBadAnswers) {
  const std::pair<std::string, std::string> bad[] = {
      {"permessage-deflate; server_max_window_bits=7", "extension_refused"},
      {"permessage-deflate; server_max_window_bits", "extension_refused"},
      {"permessage-deflate; client_max_window_bits", "extension_refused"},
      {"permessage-deflate; client_no_context_takeover=1", "extension_refused"},
      {"permessage-deflate; unknown", "extension_refused"},
      {"permessage-deflate, permessage-deflate", "extension_refused"},
      {"permessage-deflate, x-foo", "extension_unoffered"},
      {"x-foo", "extension_unoffered"},
      {"permessage-deflate;", "extension_unoffered"},
      {" ", "extension_unoffered"}};
  for (const auto& [value, cause] : bad) {
    for (const bool bytewise : {false, true}) {
      DeflateBench bench(Role::client);
      bench.connect();
      const Data answer = bench.answer_with(value);
      if (bytewise) {
        bench.h->feed_bytewise(answer);
      } else {
        bench.h->feed(answer);
      }
      EXPECT_EQ(bench.h->events.text(), "closed unclean 1006 " + cause + "\n") << value;
      EXPECT_EQ(bench.endpoint->deflate(), std::nullopt);
      EXPECT_EQ(bench.codec.asked(), 0u);
    }
  }
}

TEST(DeflateOpening, ClientWithoutMemoryFailsTheHandshake) {
  for (const bool bytewise : {false, true}) {
    DeflateBench bench(Role::client);
    bench.codec.refuse(true);
    bench.connect();
    const Data answer = bench.answer_with("permessage-deflate");
    int seen = 0;
    bench.h->handler = [&](const Event& event) {
      if (event.kind != EventKind::closed) return;
      ++seen;
      ASSERT_NE(bench.endpoint->response(), nullptr);
      EXPECT_EQ(bench.endpoint->response()->extensions(), "permessage-deflate");
    };
    if (bytewise) {
      bench.h->feed_bytewise(answer);
    } else {
      bench.h->feed(answer);
    }
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(bench.h->events.text(), "closed unclean 1006 codec_exhausted\n");
    EXPECT_EQ(bench.endpoint->deflate(), std::nullopt);
    EXPECT_EQ(bench.codec.asked(), 1u);
  }
}

// What the application adds may not contradict what is negotiated.
TEST(DeflateOpening, ClientWritesItsOfferItself) {
  DeflateBench bench(Role::client);
  const Header own[] = {{"Sec-WebSocket-Extensions", "permessage-deflate"}};
  EXPECT_EQ(bench.endpoint->connect({.host = "example.com", .headers = own}), errc::header_invalid);
  EXPECT_EQ(bench.endpoint->output_size(), 0u);
  EXPECT_FALSE(bench.endpoint->connect({.host = "example.com"}));
}

}  // namespace
}  // namespace sansock::testing
