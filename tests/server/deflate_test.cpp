// permessage-deflate between Server and Client, on every adapter: what is agreed on, which messages are
// compressed, what a broadcast costs, and what happens where memory or a limit is used up.
#include "invalid_deflate_options.h"
#include "raw_deflate_client.h"
#include "server_fixture.h"
#include "zlib_peer.h"

namespace sansock::test {
namespace {

using std::chrono::seconds;

const std::string extension = "permessage-deflate";

// Text that shrinks well, but not to nothing.
std::string prose(std::size_t size, unsigned seed = 0) {
  std::string text;
  for (unsigned i = seed; text.size() < size; ++i)
    text += "line " + std::to_string(i * i % 9973) + " of it; ";
  text.resize(size);
  return text;
}

std::string binary_noise(std::size_t size, unsigned seed) {
  return testing::string_of(testing::noise(size, seed));
}

std::string line(const std::optional<DeflateParameters>& agreed) {
  if (!agreed) return "none";
  return std::to_string(agreed->server_window_bits) + (agreed->server_no_context_takeover ? "n " : " ") +
         std::to_string(agreed->client_window_bits) + (agreed->client_no_context_takeover ? "n" : "");
}

class Deflate_ : public ServerTest {
 protected:
  Route echo_with(const DeflateOptions& options) {
    Route route = echo();
    route.deflate = options;
    return route;
  }
  Client connect_with(const std::optional<DeflateOptions>& options, std::string_view path = "/") {
    ClientOptions given = client_options();
    given.deflate = options;
    Client client(given);
    const auto error = client.connect(url(path));
    EXPECT_FALSE(error) << error.message();
    return client;
  }
  std::string received(Client& client) {
    const auto message = client.receive(seconds(20));
    return message ? std::string(message->text()) : "nothing";
  }
};
INSTANTIATE_TEST_SUITE_P(Places, Deflate_, every_adapter_and_tls, place_name);

// --- what is agreed on ------------------------------------------------------------------------------

TEST_P(Deflate_, BothSidesSayWhatWasAgreedOn) {
  make();
  const auto add = [this](const std::string& path, std::optional<DeflateOptions> options) {
    Route route = echo();
    route.deflate = options;
    route.on_open = [this](Peer& peer) { log_.add(line(peer.deflate())); };
    server().route(path, route);
  };
  add("/default", std::nullopt);
  add("/on", DeflateOptions{});
  add("/no-context", DeflateOptions{.server_no_context_takeover = true, .client_no_context_takeover = true});
  add("/small", DeflateOptions{.server_max_window_bits = 9, .client_max_window_bits = 10});
  start();
  struct Case {
    std::string path;
    std::optional<DeflateOptions> client;
    std::string agreed;
  };
  const Case cases[] = {
      {"/default", DeflateOptions{}, "none"},
      {"/on", DeflateOptions{}, "15 12"},
      {"/on", std::nullopt, "none"},
      {"/on", DeflateOptions{.server_no_context_takeover = true}, "15n 12"},
      {"/on", DeflateOptions{.server_max_window_bits = 11, .client_max_window_bits = 9}, "11 9"},
      {"/on", DeflateOptions{.client_max_window_bits_offered = false}, "15 15"},
      {"/no-context", DeflateOptions{}, "15n 12n"},
      {"/small", DeflateOptions{}, "9 10"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.path);
    log_.clear();
    Client client = connect_with(one.client, one.path);
    EXPECT_EQ(line(client.deflate()), one.agreed);
    for (const std::size_t size : {0u, 5u, 100u, 5000u, 5000u, 100'000u}) {
      const std::string text = prose(size);
      ASSERT_EQ(echoed(client, text), text);
    }
    EXPECT_EQ(log_.lines(), std::vector<std::string>{one.agreed});
    EXPECT_FALSE(client.close());
    EXPECT_EQ(line(client.deflate()), "none") << "the connection has ended";
  }
}

TEST_P(Deflate_, ARouteIsWithoutAndAClientIsWithByDefault) {
  EXPECT_FALSE(Route{}.deflate);
  EXPECT_TRUE(ClientOptions{}.deflate);
  make();
  Route route = echo();
  route.on_open = [this](Peer& peer) { log_.add(std::string(peer.request()->extensions())); };
  server().route("/", route);
  start();
  Client client = connect();
  EXPECT_EQ(echoed(client, "x"), "x");
  EXPECT_EQ(log_.lines(), std::vector<std::string>{extension + "; client_max_window_bits"});
  EXPECT_FALSE(client.response().header("sec-websocket-extensions"));
}

TEST_P(Deflate_, InvalidOptionsOfARouteAreRefusedByRun) {
  for (const DeflateOptions& options : testing::invalid_deflate_options) {
    make();
    server().route("/good", echo_with({}));
    server().route("/", echo_with(options));
    ASSERT_FALSE(server().listen({}));
    EXPECT_EQ(server().run(), errc::config_invalid);
    EXPECT_EQ(server().start(), errc::config_invalid);
  }
}

// --- which messages are compressed ------------------------------------------------------------------

TEST_P(Deflate_, EachMessageSaysWhetherItIsCompressed) {
  make();
  Route route;
  route.deflate = DeflateOptions{};
  route.on_message = [](Peer& peer, Message message) {
    const std::string text =
        prose(static_cast<std::size_t>(std::stoul(std::string(message.text().substr(2)))));
    const Compression compression = message.text()[0] == '+'   ? Compression::on
                                    : message.text()[0] == '-' ? Compression::off
                                                               : Compression::automatic;
    if (message.text()[1] == 'w') {
      peer.send(MessageType::text, as_bytes(text), compression);
      return;
    }
    const std::string_view view = text;
    peer.send_part(MessageType::text, as_bytes(view.substr(0, text.size() / 2)), false, compression);
    peer.ping();
    // What later parts say does not count.
    peer.send_part(MessageType::text, as_bytes(view.substr(text.size() / 2)), true, Compression::off);
  };
  server().route("/", route);
  start();
  for (const bool takeover : {true, false}) {
    RawDeflateClient client(address(), "/", extension + (takeover ? "" : "; server_no_context_takeover"), 15);
    ASSERT_TRUE(client.agreed()) << client.head();
    struct Case {
      std::string ask;
      std::size_t size;
      bool compressed;
    };
    const Case cases[] = {{"?w", 63, false},     {"?w", 64, takeover}, {"?w", 1023, takeover},
                          {"?w", 1024, true},    {"+w", 40, true},     {"-w", 50'000, false},
                          {"?w", 50'000, true},  {"?p", 126, false},   {"?p", 128, takeover},
                          {"?p", 2048, true},    {"+p", 40, true},     {"-p", 50'000, false},
                          {"?p", 100'000, true}, {"+w", 40, true}};
    for (const Case& one : cases) {
      SCOPED_TRACE(one.ask + std::to_string(one.size) + (takeover ? "" : " without context"));
      client.raw().send(RawClient::frame(1, one.ask + std::to_string(one.size)));
      const auto message = client.next();
      EXPECT_EQ(message.verdict, testing::Verdict::complete);
      EXPECT_EQ(message.text, prose(one.size));
      EXPECT_EQ(message.compressed, one.compressed);
      EXPECT_EQ(message.frames, one.ask[1] == 'p' ? 2u : 1u);
      if (!takeover) client.forget_window();
    }
  }
}

TEST_P(Deflate_, WhatAClientSendsInAnyWayArrives) {
  make();
  server().route("/", echo_with({}));
  start();
  Client client = connect();
  ASSERT_TRUE(client.deflate());
  for (const Compression compression : {Compression::on, Compression::off, Compression::automatic}) {
    for (const std::size_t size : {0u, 1u, 63u, 64u, 5000u, 70'000u, 1'000'000u}) {
      for (const MessageType type : {MessageType::text, MessageType::binary}) {
        const std::string text = type == MessageType::text ? prose(size, 7) : binary_noise(size, 3);
        ASSERT_FALSE(client.send(type, as_bytes(text), compression));
        ASSERT_EQ(received(client), text);
        const std::string_view view = text;
        const std::size_t third = size / 3;
        ASSERT_FALSE(client.send_part(type, as_bytes(view.substr(0, third)), false, compression));
        ASSERT_FALSE(client.send_part(type, {}, false));
        ASSERT_FALSE(client.ping(as_bytes(std::string_view("between"))));
        ASSERT_FALSE(client.send_part(type, as_bytes(view.substr(third)), true));
        ASSERT_EQ(received(client), text);
      }
    }
  }
}

// --- broadcast --------------------------------------------------------------------------------------

TEST_P(Deflate_, ABroadcastIsCompressedOnceForEachSizeOfWindow) {
  make();
  server().route("/", echo_with({.own_window_bits_max = 15}));
  start();
  std::vector<std::unique_ptr<RawDeflateClient>> clients;
  const auto add = [&](const std::string& offer, unsigned bits) -> RawDeflateClient& {
    clients.push_back(std::make_unique<RawDeflateClient>(address(), "/", offer, bits));
    return *clients.back();
  };
  for (int i = 0; i < 2; ++i) {
    add(extension + "; server_max_window_bits=9", 9);
    add(extension, 15);
    add("", 15);
    add(extension + "; server_no_context_takeover", 15);
  }
  const auto expect_from = [&](const std::string& text, bool ordinary) {
    for (const auto& client : clients) {
      if (ordinary) client->raw().send(RawClient::frame(1, text));
      const auto message = client->next();
      ASSERT_EQ(message.verdict, testing::Verdict::complete);
      ASSERT_EQ(message.text, text);
      ASSERT_EQ(message.compressed, client->agreed() && text.size() >= 1024);
      if (client == clients[0] || client == clients[4]) {
        ASSERT_LE(message.distance_max, 512u);
      }
    }
  };
  std::uint64_t encoded = 0;
  for (unsigned round = 0; round < 4; ++round) {
    // What they know of each other's texts before must not be referred to by the frame that they share, and
    // what comes after it must not refer to what was before it.
    expect_from(prose(3000, round), true);
    server().broadcast(MessageType::text, as_bytes(prose(20'000, round)));
    expect_from(prose(20'000, round), false);
    encoded += 3;  // plain, 9 bits, 15 bits
    EXPECT_EQ(server().counters().frames_encoded, encoded);
    expect_from(prose(20'000, round), true);
    server().broadcast(MessageType::text, as_bytes(prose(1000, round)));  // too small
    expect_from(prose(1000, round), false);
    ++encoded;
    EXPECT_EQ(server().counters().frames_encoded, encoded);
  }
  EXPECT_EQ(server().counters().broadcast_missed, 0u);
}

TEST_P(Deflate_, ABroadcastSaysWhetherItIsCompressed) {
  make();
  server().route("/", echo_with({}));
  start();
  RawDeflateClient client(address(), "/", extension, 15);
  client.raw().send(RawClient::frame(1, "here"));
  EXPECT_EQ(client.next().text, "here");
  const std::string noise_text = binary_noise(5000, 9);
  const auto expect = [&](const std::string& text, Compression compression, bool compressed) {
    server().broadcast(MessageType::binary, as_bytes(text), {.compression = compression});
    const auto message = client.next();
    EXPECT_EQ(message.text, text);
    EXPECT_EQ(message.compressed, compressed);
  };
  expect(prose(200), Compression::on, true);
  expect(prose(200), Compression::automatic, false);
  expect(prose(20'000), Compression::off, false);
  expect(prose(20'000), Compression::automatic, true);
  expect(noise_text, Compression::on, false);  // does not shrink
  expect("", Compression::on, false);
}

TEST_P(Deflate_, ABroadcastDoesNotCutAMessageInParts) {
  make();
  Route route;
  route.deflate = DeflateOptions{};
  route.on_message = [](Peer& peer, Message message) {
    if (message.text() == "begin") {
      peer.send_part(MessageType::text, as_bytes(prose(5000)), false, Compression::on);
    } else {
      peer.send_part(MessageType::text, as_bytes(prose(5000)), true);
      peer.send(prose(5000));
    }
  };
  server().route("/", route);
  start();
  RawDeflateClient client(address(), "/", extension, 15);
  client.raw().send(RawClient::frame(1, "begin") + RawClient::frame(9, "ping"));
  client.raw().read_until("ping");
  server().broadcast(MessageType::text, as_bytes(prose(9000)));
  ASSERT_TRUE(eventually([this] { return server().counters().broadcast_missed == 1; }));
  client.raw().send(RawClient::frame(1, "end"));
  EXPECT_EQ(client.next().text, prose(5000) + prose(5000));
  const auto whole = client.next();
  EXPECT_EQ(whole.text, prose(5000));
  EXPECT_TRUE(whole.compressed);
  server().broadcast(MessageType::text, as_bytes(prose(9000)));
  const auto news = client.next();
  EXPECT_EQ(news.text, prose(9000));
  EXPECT_TRUE(news.compressed);
}

// --- where something is used up ---------------------------------------------------------------------

TEST_P(Deflate_, WithoutMemoryConnectionsGoWithout) {
  ServerOptions poor = options();
  poor.deflate_memory_max = 0;
  make(poor);
  Route route = echo_with({});
  route.on_open = [this](Peer& peer) { log_.add(line(peer.deflate())); };
  server().route("/", route);
  start();
  Client client = connect();
  EXPECT_EQ(line(client.deflate()), "none");
  EXPECT_EQ(echoed(client, prose(50'000)), prose(50'000));
  EXPECT_EQ(log_.lines(), std::vector<std::string>{"none"});
  server().broadcast(MessageType::text, as_bytes(prose(9000)));
  EXPECT_EQ(received(client), prose(9000));
}

TEST_P(Deflate_, AClientWithoutMemoryDoesNotConnect) {
  make();
  server().route("/", echo_with({}));
  start();
  ClientOptions poor = client_options();
  poor.deflate_memory_max = 0;
  Client client(poor);
  EXPECT_EQ(client.connect(url()), errc::codec_exhausted);
  Client other = connect();
  EXPECT_EQ(echoed(other, prose(5000)), prose(5000));
}

TEST_P(Deflate_, WithLittleMemoryMessagesGoPlainAndWhatCanNotBeReadEndsWith1011) {
  ServerOptions poor = options();
  // Enough for connections, but not for a compressor or a decompressor.
  poor.deflate_memory_max = 100u << 10;
  make(poor);
  Route route = echo_with({});
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)));
  };
  server().route("/", route);
  start();
  RawDeflateClient client(address(), "/", extension, 15);
  RawDeflateClient other(address(), "/", extension, 15);
  ASSERT_TRUE(client.agreed() && other.agreed());
  client.raw().send(RawClient::frame(1, prose(50'000)));
  const auto plain = client.next();
  EXPECT_EQ(plain.text, prose(50'000));
  EXPECT_FALSE(plain.compressed);
  server().broadcast(MessageType::text, as_bytes(prose(9000)));
  for (RawDeflateClient* one : {&client, &other}) {
    const auto news = one->next();
    EXPECT_EQ(news.text, prose(9000));
    EXPECT_FALSE(news.compressed);
  }
  testing::ZlibSender zlib(12, true);
  client.raw().send(RawDeflateClient::compressed(1, zlib.message(testing::bytes_of(prose(500)))));
  EXPECT_EQ(client.close_code(), 1011u);
  client.raw().close();  // or the server would wait for its Close
  EXPECT_TRUE(eventually([this] { return log_.has("codec_exhausted"); }));
  other.raw().send(RawClient::frame(1, "still here"));
  EXPECT_EQ(other.next().text, "still here");
}

// B4.
TEST_P(Deflate_, B4_TheLimitOfAMessageCountsWhatItIs) {
  make();
  Route route = echo_with({});
  route.limits.message_payload_max = 64u << 10;
  route.on_close = [this](Peer&, const CloseStatus& status, std::string_view) {
    log_.add(std::string(name(status.cause)));
  };
  server().route("/", route);
  start();
  Client other = connect();
  for (const std::size_t beyond : {1u, 1u << 20}) {
    Client client = connect();
    const std::string fits(64u << 10, 'a');
    EXPECT_EQ(echoed(client, fits), fits);
    client.send(MessageType::text, as_bytes(std::string(fits.size() + beyond, 'a')), Compression::on);
    EXPECT_FALSE(client.receive(seconds(20)));
    EXPECT_EQ(client.close_status().received, CloseCode::message_too_big);
    EXPECT_EQ(echoed(other, prose(5000)), prose(5000));
  }
  EXPECT_TRUE(eventually([this] { return log_.count("message_too_big") == 2; }));
}

// --- much of it -------------------------------------------------------------------------------------

TEST_P(Deflate_, StopDuringCompressedTraffic) {
  make();
  server().route("/", echo_with({}));
  start();
  std::atomic<int> echoes{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([this, i, &echoes, &wrong] {
      Client client = connect();
      for (unsigned k = 0;; ++k) {
        const std::string text = prose(2000 + 500 * (k % 20), i * 1000 + k);
        if (client.send(text)) break;
        const auto message = client.receive(seconds(20));
        if (!message) break;
        if (message->text() != text) ++wrong;
        ++echoes;
      }
      if (client.close_status().received != CloseCode::going_away) ++wrong;
    });
  }
  EXPECT_TRUE(eventually([&] { return echoes >= 100; }));
  server().stop();
  server().join();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server().connections(), 0u);
}

TEST_P(Deflate_, LargeMessagesBothWays) {
  make();
  Route route = echo_with({});
  route.output_policy = OutputPolicy::pause;
  server().route("/", route);
  start();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i) {
    threads.emplace_back([this, i, &wrong] {
      Client client = connect();
      const std::string large[] = {prose(4u << 20, i), binary_noise(4u << 20, i + 1),
                                   std::string(4u << 20, 'z')};
      // All at once, so that the output of both sides stands still for a while.
      for (const std::string& text : large) {
        if (client.send(MessageType::binary, as_bytes(text))) ++wrong;
      }
      for (const std::string& text : large) {
        if (received(client) != text) ++wrong;
      }
      if (client.close()) ++wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sansock::test
