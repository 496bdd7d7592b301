// TlsLayer with a driver in memory: whole conversations, pauses, and memory that is not to be had.
#include "layer_side.h"

namespace sansock::test {
namespace {

std::string numbered(int i) { return "message " + std::to_string(i); }

class TlsLayer_ : public ::testing::Test {
 protected:
  std::shared_ptr<TlsServer> server_tls_ = make_tls_server();
  std::shared_ptr<TlsClient> client_tls_ = make_tls_client();
};

TEST_F(TlsLayer_, CarriesAConversationInPiecesOfAnySize) {
  for (const std::size_t size : {whole, std::size_t{1}, std::size_t{100}, std::size_t{4096}}) {
    LayerSide server(*server_tls_);
    LayerSide client(*client_tls_);
    converse(client, server, size);
    ASSERT_TRUE(client.said("open") && server.said("open")) << size;
    const std::string large(100'000, 'l');
    EXPECT_FALSE(client.endpoint().send("hello"));
    EXPECT_FALSE(client.endpoint().send(large));
    EXPECT_FALSE(server.endpoint().send(large));
    client.resume();
    server.resume();
    converse(client, server, size);
    EXPECT_EQ(server.messages, (std::vector<std::string>{"hello", large}));
    EXPECT_EQ(client.messages, (std::vector<std::string>{large}));
    EXPECT_FALSE(client.endpoint().close());
    client.resume();
    converse(client, server, size);
    EXPECT_TRUE(server.fin);  // RFC 6455 section 7.1.1: the server closes first
    client.eof();
    converse(client, server, size);
    server.eof();
    EXPECT_TRUE(server.over() && client.over()) << size;
    EXPECT_TRUE(client.said("closed none clean"));
    EXPECT_TRUE(server.said("closed none clean"));
    EXPECT_EQ(server.pool.live() + client.pool.live(), 0u);
  }
}

TEST_F(TlsLayer_, SaysNothingOfTheRequestBeforeTheHandshakeIsComplete) {
  LayerSide client(*client_tls_);
  TlsPeer peer({.server = true, .certificate = server_certificate()});
  peer.put(client.take());
  peer.handshake();
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(peer.read(), "");
  client.feed(peer.take());
  peer.put(client.take());
  EXPECT_TRUE(peer.handshake());
  EXPECT_TRUE(peer.read().starts_with("GET / HTTP/1.1\r\n"));
}

// All of it is sent, and counted, in the order of the engine's limits.
TEST_F(TlsLayer_, CountsOutputAsWrittenWithItsFlight) {
  LayerSide server(*server_tls_);
  LayerSide client(*client_tls_);
  converse(client, server);
  const std::string large(60'000, 'l');
  EXPECT_FALSE(client.endpoint().send(large));
  client.resume();
  const std::size_t queued = client.endpoint().output_size();
  std::string bytes = client.take(30'000);
  EXPECT_EQ(client.endpoint().output_size(), queued);  // the flight is not through
  bytes += client.take();
  EXPECT_EQ(client.endpoint().output_size(), 0u);
  server.feed(bytes);
  EXPECT_EQ(server.messages, std::vector<std::string>{large});
}

// The limit of output counts plaintext; beyond it lies one flight of ciphertext, and no more.
TEST_F(TlsLayer_, EncryptsOneFlightAhead) {
  LayerSide server(*server_tls_, [](Config& config) { config.limits.output_bytes_max = 1u << 20; });
  LayerSide client(*client_tls_);
  converse(client, server);
  const std::string part(10'000, 'p');
  std::size_t accepted = 0;
  while (!server.endpoint().send(part)) {
    ++accepted;
    server.resume();
    server.take(1);  // a transport that is as slow as can be
  }
  EXPECT_LE(server.endpoint().output_size(), 1u << 20);
  EXPECT_GE(accepted, (std::size_t{1} << 20) / (part.size() + 4) - 1);
  EXPECT_LE(server.layer.output_size(), (64u << 10) + 5 * 22);
  EXPECT_LE(server.pool.live() * server.pool.block_size(),
            (1u << 20) + (64u << 10) + 4 * server.pool.block_size());
}

// --- pauses ---------------------------------------------------------------------------------------

TEST_F(TlsLayer_, KeepsWhatComesDuringAPause) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  std::vector<std::string> expected;
  server.script = [](Endpoint&, const Event& event) {
    return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
  };
  for (int i = 0; i < 50; ++i) {
    peer.write(RawClient::frame(1, numbered(i)));
    expected.push_back(numbered(i));
    if (i % 3 == 0) server.force(peer.take());
  }
  server.force(peer.take());
  EXPECT_EQ(server.messages.size(), 1u);
  EXPECT_TRUE(server.layer.input_waits());
  EXPECT_FALSE(server.interest.read);
  for (std::size_t i = 1; i < 50; ++i) {
    EXPECT_EQ(server.messages.size(), i);
    server.resume_reading();
  }
  EXPECT_EQ(server.messages, expected);
  server.resume_reading();
  EXPECT_FALSE(server.layer.input_waits());
  EXPECT_TRUE(server.interest.read);
}

// A message of many records, in reads that end anywhere, to a handler that pauses at each part of it.
TEST_F(TlsLayer_, PausesInsideAMessage) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  std::string payload(50'000, '\0');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>('a' + i % 23);
  server.script = [](Endpoint&, const Event& event) {
    return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
  };
  peer.write(RawClient::frame(1, payload));
  const std::string bytes = peer.take();
  for (std::size_t at = 0; at < bytes.size();) {
    if (!server.interest.read) {
      server.resume_reading();
      continue;
    }
    server.feed(std::string_view(bytes).substr(at, 1000));
    at += 1000;
  }
  while (!server.interest.read) server.resume_reading();
  EXPECT_EQ(server.messages, std::vector<std::string>{payload});
}

TEST_F(TlsLayer_, TellsOfTheEndBehindWhatWaits) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.script = [](Endpoint&, const Event& event) {
    return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
  };
  for (int i = 0; i < 3; ++i) peer.write(RawClient::frame(1, numbered(i)));
  peer.write(RawClient::frame(8, "\x03\xe8"));
  peer.close();
  server.force(peer.take());
  server.eof();
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(server.messages.size(), i);
    EXPECT_EQ(server.log, std::vector<std::string>{"open"});
    server.resume_reading();
  }
  peer.put(server.take());
  EXPECT_EQ(peer.read(), std::string("\x88\x02\x03\xe8", 4));
  EXPECT_TRUE(peer.peer_closed());
  EXPECT_TRUE(server.over());
  EXPECT_EQ(server.log, (std::vector<std::string>{"open", "peer_close 1000", "closed none clean"}));
}

TEST_F(TlsLayer_, TellsOfAFailureBehindWhatWaits) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.script = [](Endpoint&, const Event& event) {
    return event.kind == EventKind::data ? Verdict::pause_reading : Verdict::keep;
  };
  for (int i = 0; i < 2; ++i) peer.write(RawClient::frame(1, numbered(i)));
  server.force(peer.take() + "junk that is no record");
  EXPECT_EQ(server.messages.size(), 1u);
  EXPECT_FALSE(server.said("closed tls_record_invalid"));
  server.resume_reading();
  EXPECT_EQ(server.messages.size(), 2u);
  EXPECT_TRUE(server.said("closed tls_record_invalid"));
}

// --- memory ---------------------------------------------------------------------------------------

// From the k-th block on there is none: it goes on in small steps.
TEST_F(TlsLayer_, GoesOnWithoutBlocks) {
  const std::string large(200'000, 'l');
  for (std::size_t k = 1; k < 40; ++k) {
    LayerSide server(*server_tls_);
    LayerSide client(*client_tls_);
    converse(client, server);
    ASSERT_FALSE(client.endpoint().send(large));
    client.resume();
    client.pool.fail_from(k);
    converse(client, server);
    EXPECT_EQ(server.messages, std::vector<std::string>{large}) << k;
    EXPECT_EQ(client.starved, 0);
    EXPECT_EQ(client.endpoint().output_size(), 0u);
    EXPECT_FALSE(client.over());
  }
}

// What waits to be encrypted has all the blocks there are: nobody would ever give one back.
TEST_F(TlsLayer_, GoesOnWhenItsOwnOutputHasAllBlocks) {
  LayerSide server(*server_tls_);
  LayerSide client(*client_tls_);
  converse(client, server);
  std::vector<std::string> sent;
  for (int i = 0; i < 5; ++i) {
    sent.emplace_back(50'000, static_cast<char>('a' + i));
    ASSERT_FALSE(client.endpoint().send(sent.back()));
  }
  client.pool.set_limit(client.pool.live());
  client.resume();
  converse(client, server);
  EXPECT_EQ(server.messages, sent);
  EXPECT_EQ(client.pool.live(), 0u);
}

// The transport is reset when both Close frames are exchanged, and close_notify has not come.
TEST_F(TlsLayer_, ResetWithoutCloseNotifyIsATruncation) {
  for (const bool notified : {false, true}) {
    LayerSide server(*server_tls_);
    LayerSide client(*client_tls_);
    converse(client, server);
    ASSERT_FALSE(server.endpoint().close());
    server.resume();
    client.feed(server.take());
    const std::string reply = client.take();
    EXPECT_TRUE(client.endpoint().close_status().clean);
    server.feed(reply);
    const std::string notify = server.take();
    if (notified) client.feed(notify);
    client.interest = client.layer.on_failure(client.driver, errc::transport_error, client.now);
    EXPECT_TRUE(client.over());
    EXPECT_EQ(client.endpoint().close_status().clean, notified);
    EXPECT_EQ(client.endpoint().close_status().cause, notified ? errc::none : errc::tls_truncated);
  }
}

// So it is where something else comes in its place.
TEST_F(TlsLayer_, WhatIsNotCloseNotifyIsATruncation) {
  LayerSide server(*server_tls_);
  LayerSide client(*client_tls_);
  converse(client, server);
  ASSERT_FALSE(server.endpoint().close());
  server.resume();
  client.feed(server.take());
  server.feed(client.take());
  EXPECT_TRUE(server.endpoint().close_status().clean);
  server.feed("no record at all");
  EXPECT_FALSE(server.endpoint().close_status().clean);
  EXPECT_EQ(server.endpoint().close_status().cause, errc::tls_truncated);
}

// TLS has failed, and the driver is paused: there is nothing to be tried again until it goes on.
TEST_F(TlsLayer_, DoesNotTryToEncryptAfterAFailure) {
  LayerSide server(*server_tls_);
  LayerSide client(*client_tls_);
  converse(client, server);
  ASSERT_FALSE(client.endpoint().send(std::string_view("waits")));
  client.resume();
  server.endpoint().pause_input(true);
  server.resume();
  server.force(client.take() + "no record at all");
  server.take();  // the alert
  ASSERT_FALSE(server.endpoint().send(std::string_view("can not be encrypted")));
  server.resume();
  EXPECT_FALSE(server.interest.write);
  EXPECT_GT(server.interest.deadline, server.now + std::chrono::seconds(1));
  EXPECT_EQ(server.endpoint().state(), ReadyState::open);
  server.resume_reading();
  EXPECT_EQ(server.messages, std::vector<std::string>{"waits"});
  EXPECT_EQ(server.endpoint().close_status().cause, errc::tls_record_invalid);
}

// A loop that comes late: what has arrived counts before the deadlines that have passed.
TEST_F(TlsLayer_, InputCountsBeforeDeadlines) {
  const auto idle = [](Config& config) { config.timeouts.idle = std::chrono::seconds(5); };
  LayerSide server(*server_tls_, idle);
  LayerSide client(*client_tls_);
  converse(client, server);
  ASSERT_FALSE(client.endpoint().send(std::string_view("in time")));
  client.resume();
  server.now += std::chrono::seconds(60);
  server.feed(client.take());
  EXPECT_EQ(server.messages, std::vector<std::string>{"in time"});
  EXPECT_EQ(server.endpoint().state(), ReadyState::open);
  // So does its end.
  server.now += std::chrono::seconds(60);
  server.eof();
  EXPECT_EQ(server.endpoint().close_status().cause, errc::tls_truncated);
}

// One block fails, the k-th of the whole conversation: it goes on or ends with that cause, and nothing of
// what was accepted is lost or changed.
TEST_F(TlsLayer_, SurvivesEachBlockThatFails) {
  const std::string large(100'000, 'l');
  int ended = 0;
  for (std::size_t k = 1;; ++k) {
    LayerSide server(*server_tls_);
    LayerSide client(*client_tls_);
    client.pool.fail_at(k);
    server.pool.fail_at(k);
    const auto go_on = [&] {
      for (int i = 0; i < 5; ++i) {
        converse(client, server);
        client.pass(std::chrono::milliseconds(10));
        server.pass(std::chrono::milliseconds(10));
      }
    };
    go_on();
    std::vector<std::string> to_server;
    std::vector<std::string> to_client;
    for (int i = 0; i < 2 && !client.over() && !server.over(); ++i) {
      if (client.said("open") && !client.endpoint().send(large)) to_server.push_back(large);
      if (server.said("open") && !server.endpoint().send("answer")) to_client.emplace_back("answer");
      client.resume();
      server.resume();
      go_on();
    }
    if (!client.over() && !server.over()) {
      EXPECT_EQ(server.messages, to_server) << k;
      EXPECT_EQ(client.messages, to_client) << k;
    } else {
      EXPECT_LE(server.messages.size(), to_server.size()) << k;
      for (const std::string& message : server.messages) EXPECT_TRUE(large.starts_with(message)) << k;
      ended += 1;
    }
    if (client.pool.asked() < k && server.pool.asked() < k) {
      EXPECT_EQ(to_server.size(), 2u);
      EXPECT_EQ(to_client.size(), 2u);
      break;
    }
    ASSERT_LT(k, 500u);
  }
  EXPECT_LT(ended, 5);  // only what the opening handshake can not do without
}

// Neither in the memory that ciphertext came in, where it was decrypted, nor in blocks that were given back.
TEST_F(TlsLayer_, LeavesNoPlaintextBehind) {
  const std::string secret = "correct horse battery staple";
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.pool.set_wiped();
  int dirty = 0;
  server.pool.on_release = [&](ConstBytes block) {
    dirty += as_text(block).find(secret) != as_text(block).npos;
  };
  server.script = [&](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::data && event.end) endpoint.send(secret);
    return Verdict::keep;
  };
  for (const std::size_t size : {std::size_t{30}, std::size_t{1000}, std::size_t{40'000}}) {
    std::string payload;
    while (payload.size() < size) payload += secret;
    peer.write(RawClient::frame(2, payload));
    std::string bytes = peer.take();
    server.layer.on_bytes(server.driver, std::as_writable_bytes(std::span(bytes)), server.now);
    EXPECT_EQ(bytes.find(secret.substr(0, 15)), std::string::npos);
    ASSERT_EQ(server.messages.back(), payload);
    server.resume();
    peer.put(server.take());
    EXPECT_NE(peer.read().find(secret), std::string::npos);
  }
  EXPECT_EQ(dirty, 0);
}

// --- deadlines ------------------------------------------------------------------------------------

TEST_F(TlsLayer_, HandshakeHasTheOpeningHandshakesDeadline) {
  for (const std::size_t part : {std::size_t{0}, std::size_t{1}, std::size_t{100}, whole}) {
    LayerSide server(*server_tls_,
                     [](Config& config) { config.timeouts.opening_handshake = std::chrono::seconds(3); });
    TlsPeer peer;
    peer.handshake();
    server.feed(peer.take().substr(0, part));
    server.take();
    server.pass(std::chrono::seconds(3) - Duration(1));
    EXPECT_FALSE(server.over());
    server.pass(Duration(1));
    EXPECT_TRUE(server.over()) << part;
    EXPECT_EQ(server.log, std::vector<std::string>{"closed handshake_timeout"});
  }
}

TEST_F(TlsLayer_, ClosingDuringTheHandshakeEndsItAtOnce) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  peer.handshake();
  server.feed(peer.take());
  server.endpoint().close(CloseCode::going_away);
  server.resume();
  EXPECT_TRUE(server.over());
}

}  // namespace
}  // namespace sansock::test
