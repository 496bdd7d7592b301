// Row C13 of the list of attacks: what a peer can do with TLS itself once it has its keys.
#include "layer_side.h"

namespace sansock::test {
namespace {

constexpr std::size_t much = 5000;

class AttacksTls : public ::testing::Test {
 protected:
  // Until the connection ends or all were said; how many it took.
  template <class Make>
  static std::size_t flood(LayerSide& side, Make make) {
    for (std::size_t i = 1; i <= much; ++i) {
      side.feed(make());
      if (!side.interest.read || side.log.back().starts_with("closed")) return i;
    }
    return much;
  }
  // A client that has a server in the test's hands.
  static void open_client(LayerSide& client, TlsPeer& peer) {
    ASSERT_TRUE(shake_hands(client, peer));
    peer.put(client.take());
    peer.read();
  }

  std::shared_ptr<TlsServer> server_tls_ = make_tls_server();
  std::shared_ptr<TlsClient> client_tls_ = make_tls_client();
};

TEST_F(AttacksTls, C13KeyUpdates) {
  for (const bool asked : {false, true}) {
    LayerSide server(*server_tls_);
    TlsPeer peer;
    open(server, peer);
    RecordForge forge(peer);
    EXPECT_LE(flood(server, [&] { return forge.key_update(asked); }), 65u);
    EXPECT_TRUE(server.said("closed tls_flood"));
    peer.put(server.take());
    peer.read();
    EXPECT_EQ(peer.alert(), SSL_AD_UNEXPECTED_MESSAGE);
    EXPECT_LE(server.pool.peak(), 8u);
  }
}

// A little data between them makes them no cheaper.
TEST_F(AttacksTls, C13KeyUpdatesBetweenData) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  RecordForge forge(peer);
  const std::size_t said = flood(server, [&] {
    std::string bytes = forge.key_update(true);
    return bytes += forge.data(RawClient::frame(1, "x"));
  });
  EXPECT_LE(said, 65u);
  EXPECT_TRUE(server.said("closed tls_flood"));
}

// Who asks for key updates and reads nothing: one answer is due at a time.
TEST_F(AttacksTls, C13KeyUpdatesToASlowReader) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  RecordForge forge(peer);
  const std::string data = RawClient::frame(2, std::string(8192, 'd'));
  for (int i = 0; i < 500; ++i) {
    server.feed(forge.key_update(true));
    server.feed(forge.data(data));
    ASSERT_FALSE(server.over());
    ASSERT_EQ(server.log.back(), "open") << i;
    EXPECT_LE(server.layer.output_size(), 100u);
  }
  EXPECT_EQ(server.messages.size(), 500u);
}

// A long connection updates its keys now and then, and earns that with its data.
TEST_F(AttacksTls, C13KeyUpdatesThatAreEarned) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  for (int i = 0; i < 300; ++i) {
    peer.key_update(true);
    peer.write(RawClient::frame(2, std::string(20'000, 'd')));
    server.feed(peer.take());
    peer.put(server.take());
    peer.read();
  }
  EXPECT_EQ(server.log.back(), "open");
  EXPECT_EQ(server.messages.size(), 300u);
}

TEST_F(AttacksTls, C13TicketsToAClient) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{16'000}}) {
    LayerSide client(*client_tls_);
    TlsPeer peer({.server = true, .certificate = server_certificate()});
    open_client(client, peer);
    client.log.push_back("connected");
    RecordForge forge(peer);
    EXPECT_LE(flood(client, [&] { return forge.ticket(size); }), 65u);
    EXPECT_TRUE(client.said("closed tls_flood"));
  }
}

// A message that is never whole must not grow for ever either.
TEST_F(AttacksTls, C13OneHandshakeMessageOfAnySize) {
  LayerSide client(*client_tls_);
  TlsPeer peer({.server = true, .certificate = server_certificate()});
  open_client(client, peer);
  client.log.push_back("connected");
  RecordForge forge(peer);
  bool begun = false;
  const std::size_t records = flood(client, [&] {
    std::string content(16'000, 't');
    if (!std::exchange(begun, true)) content.replace(0, 4, std::string("\x04\xff\xff\xff", 4));
    return forge.record(SSL3_RT_HANDSHAKE, content);
  });
  EXPECT_LE(records, 10u);
  EXPECT_TRUE(client.said("closed tls_record_invalid")) << client.log.back();
}

TEST_F(AttacksTls, C13RenegotiationByAClient) {
  LayerSide server(*server_tls_);
  TlsPeer peer({.version_max = TLS1_2_VERSION});
  open(server, peer);
  RecordForge forge(peer);
  EXPECT_EQ(flood(server, [&] { return forge.client_hello(); }), 1u);
  EXPECT_TRUE(server.said("closed tls_flood")) << server.log.back();
  peer.put(server.take());
  peer.read();
  EXPECT_NE(peer.alert(), -1);
}

TEST_F(AttacksTls, C13RenegotiationByAServer) {
  LayerSide client(*client_tls_);
  TlsPeer peer({.server = true, .version_max = TLS1_2_VERSION, .certificate = server_certificate()});
  open_client(client, peer);
  client.log.push_back("connected");
  RecordForge forge(peer);
  EXPECT_EQ(flood(client, [&] { return forge.hello_request(); }), 1u);
  EXPECT_TRUE(client.said("closed tls_flood")) << client.log.back();
  peer.put(client.take());
  peer.read();
  EXPECT_NE(peer.alert(), -1);
}

TEST_F(AttacksTls, C13WarningAlerts) {
  for (const std::uint16_t version : both_versions) {
    LayerSide server(*server_tls_);
    TlsPeer peer({.version_max = version});
    open(server, peer);
    RecordForge forge(peer);
    constexpr std::uint8_t user_canceled = 90;
    EXPECT_LE(flood(server, [&] { return forge.alert(1, user_canceled); }), 65u);
    EXPECT_TRUE(server.said("closed tls_flood")) << server.log.back();
  }
}

TEST_F(AttacksTls, C13EmptyRecords) {
  for (const std::uint16_t version : both_versions) {
    LayerSide server(*server_tls_);
    TlsPeer peer({.version_max = version});
    open(server, peer);
    RecordForge forge(peer);
    EXPECT_LE(flood(server, [&] { return forge.data(""); }), 65u);
    EXPECT_TRUE(server.said("closed tls_flood")) << server.log.back();
  }
}

// They cost 22 bytes of overhead each, and are paid for by who sends them: no memory here.
TEST_F(AttacksTls, C13RecordsOfOneByte) {
  LayerSide server(*server_tls_);
  TlsPeer peer;
  open(server, peer);
  server.pool.reset_peak();
  const std::size_t before = server.pool.peak();
  const std::string payload(100'000, 'o');
  for (const char byte : RawClient::frame(2, payload)) {
    peer.write({&byte, 1});
    server.feed(peer.take());
  }
  EXPECT_EQ(server.messages, std::vector<std::string>{payload});
  EXPECT_EQ(server.pool.peak(), before);
}

// A peer that sends and never reads: answers fill up to the engine's limits, and the peer's end is a cut.
TEST_F(AttacksTls, C13SlowReader) {
  LayerSide server(*server_tls_, [](Config& config) { config.limits.output_bytes_max = 256u << 10; });
  TlsPeer peer;
  open(server, peer);
  int refused = 0;
  server.script = [&refused](Endpoint& endpoint, const Event& event) {
    if (event.kind == EventKind::data && endpoint.send("a" + std::string(9999, 'a'))) ++refused;
    return Verdict::keep;
  };
  for (int i = 0; i < 1000; ++i) {
    peer.write(RawClient::frame(1, "more"));
    server.feed(peer.take());
    server.take(1);
  }
  EXPECT_GT(refused, 900);
  EXPECT_LE(server.endpoint().output_size(), 256u << 10);
  EXPECT_LE(server.layer.output_size(), (64u << 10) + 5 * 22);
  EXPECT_LE(server.pool.peak() * server.pool.block_size(), (512u << 10));
  server.eof();
  EXPECT_TRUE(server.said("closed tls_truncated"));
  EXPECT_TRUE(server.over());
}

}  // namespace
}  // namespace sansock::test
