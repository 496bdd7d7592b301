// Sessions that go on in another connection.
#include "layer_side.h"

namespace sansock::test {
namespace {

bssl::UniquePtr<SSL_SESSION> kept;  // the newest that a peer was given

int keep(SSL*, SSL_SESSION* session) {
  kept.reset(session);
  return 1;
}

// Peers with the same of these open each other's tickets.
void use_fixed_ticket_keys(SSL_CTX* context) {
  const std::string keys(48, 'k');
  SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), keys.size());
}

class TlsResumption : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  void SetUp() override { kept.reset(); }

  // A peer connects to our server, with the session that it has kept: whether that goes on.
  static bool resumed_by_server(const TlsServer& tls) {
    TlsPeer peer({.version_max = GetParam(), .prepare = [](SSL_CTX* context) {
                    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
                    SSL_CTX_sess_set_new_cb(context, keep);
                  }});
    if (kept) SSL_set_session(peer.ssl(), kept.get());
    LayerSide server(tls);
    open(server, peer);
    EXPECT_EQ(server.layer.status().resumed, SSL_session_reused(peer.ssl()) == 1);
    return server.layer.status().resumed;
  }
  // Our client connects to a peer.
  static bool resumed_by_client(const TlsClient& tls, const std::string& host = "localhost",
                                std::uint16_t port = 443) {
    TlsPeer peer({.server = true,
                  .version_max = GetParam(),
                  .certificate = server_certificate(),
                  .prepare = use_fixed_ticket_keys});
    LayerSide client(Role::client, [&](BlockPool& pool) { return tls.make_engine(pool, host, port); });
    EXPECT_TRUE(shake_hands(client, peer));
    peer.put(client.take());
    EXPECT_TRUE(peer.read().starts_with("GET / "));
    const TlsStatus status = client.layer.status();
    EXPECT_EQ(status.resumed, SSL_session_reused(peer.ssl()) == 1);
    EXPECT_TRUE(status.peer);  // verified now or then
    // BoringSSL sends its tickets with the first data.
    peer.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    client.feed(peer.take());
    return status.resumed;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, TlsResumption, ::testing::ValuesIn(both_versions),
                         [](const auto& of) { return of.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(TlsResumption, ByAServer) {
  const auto tls = make_tls_server();
  EXPECT_FALSE(resumed_by_server(*tls));
  ASSERT_TRUE(kept);
  EXPECT_TRUE(resumed_by_server(*tls));
  EXPECT_TRUE(resumed_by_server(*tls));
  EXPECT_FALSE(tls->load(server_tls_options()));
  EXPECT_TRUE(resumed_by_server(*tls));
  // Another server has other keys.
  EXPECT_FALSE(resumed_by_server(*make_tls_server()));
}

TEST_P(TlsResumption, NotByAServerThatGivesNoTickets) {
  TlsServerOptions options = server_tls_options();
  options.tickets = false;
  const auto tls = make_tls_server(options);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(resumed_by_server(*tls));
}

TEST_P(TlsResumption, NotUnderOtherDemandsOnClients) {
  const auto tls = make_tls_server();
  EXPECT_FALSE(resumed_by_server(*tls));
  EXPECT_TRUE(resumed_by_server(*tls));
  TlsServerOptions asking = server_tls_options();
  asking.client_certificates = TlsClientCertificates::request;
  asking.client_roots_pem = authority().roots_pem();
  EXPECT_FALSE(tls->load(asking));
  EXPECT_FALSE(resumed_by_server(*tls));
  EXPECT_TRUE(resumed_by_server(*tls));
  asking.client_roots_pem = CertificateAuthority("another").roots_pem();
  EXPECT_FALSE(tls->load(asking));
  EXPECT_FALSE(resumed_by_server(*tls));
}

TEST_P(TlsResumption, ByAClientForTheSameHostAndPort) {
  const auto tls = make_tls_client();
  EXPECT_FALSE(resumed_by_client(*tls));
  EXPECT_TRUE(resumed_by_client(*tls));
  EXPECT_TRUE(resumed_by_client(*tls));
  EXPECT_FALSE(resumed_by_client(*tls, "localhost", 444));
  EXPECT_FALSE(resumed_by_client(*tls, "example.test"));
  EXPECT_FALSE(resumed_by_client(*tls, "127.0.0.1"));
  EXPECT_TRUE(resumed_by_client(*tls, "127.0.0.1"));
}

// With other trust, nothing that was verified before counts.
TEST_P(TlsResumption, NotByAClientThatHasLoadedAgain) {
  const auto tls = make_tls_client();
  EXPECT_FALSE(resumed_by_client(*tls));
  EXPECT_FALSE(tls->load(client_tls_options()));
  EXPECT_FALSE(resumed_by_client(*tls));
}

TEST_P(TlsResumption, NotByAClientThatDoesNotWantTo) {
  TlsClientOptions options = client_tls_options();
  options.resume = false;
  const auto tls = make_tls_client(options);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(resumed_by_client(*tls));
}

}  // namespace
}  // namespace sansock::test
