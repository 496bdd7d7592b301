// Clients that show who they are.
#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

const CertificateAuthority& clients_authority() {
  static const CertificateAuthority made("clients' root");
  return made;
}

class ClientCertificates : public TlsServerTest {
 protected:
  static TlsServerOptions demanding(TlsClientCertificates demand) {
    TlsServerOptions options = server_tls_options();
    options.client_certificates = demand;
    options.client_roots_pem = clients_authority().roots_pem();
    return options;
  }
  static IssuedCertificate issue(CertificateSpec spec = {}) {
    spec.common_name = "a client";
    spec.organization = "Example";
    spec.purpose = CertificatePurpose::client;
    return clients_authority().issue(spec);
  }
  void start_demanding(TlsClientCertificates demand) {
    make();
    Route route = echo();
    route.on_request = [this](Peer& peer, const Request&) {
      const auto status = peer.tls();
      log_.add(status->peer ? status->peer->subject : "nobody");
      return Decision::accept();
    };
    server().route("/", route);
    start_tls(demanding(demand));
  }
  // What connecting with this certificate gives, and the server's route sees.
  std::pair<std::error_code, std::string> attempt(const std::optional<IssuedCertificate>& certificate) {
    log_.clear();
    ClientOptions options = tls_client_options();
    if (certificate) options.tls.certificate = as_option(*certificate);
    Client client(options);
    const std::error_code error = client.connect(tls_url());
    const auto lines = log_.lines();
    return {error, lines.empty() ? "not asked" : lines.back()};
  }
};
INSTANTIATE_TEST_SUITE_P(Places, ClientCertificates, every_adapter, place_name);

using Seen = std::pair<std::error_code, std::string>;

TEST_P(ClientCertificates, AreNotAskedFor) {
  make();
  Route route = echo();
  route.on_request = [this](Peer& peer, const Request&) {
    log_.add(peer.tls()->peer ? "somebody" : "nobody");
    return Decision::accept();
  };
  server().route("/", route);
  start_tls();
  EXPECT_EQ(attempt(issue()), (Seen{{}, "nobody"}));
}

TEST_P(ClientCertificates, AreAskedFor) {
  start_demanding(TlsClientCertificates::request);
  EXPECT_EQ(attempt(std::nullopt), (Seen{{}, "nobody"}));
  EXPECT_EQ(attempt(issue()), (Seen{{}, "CN=a client,O=Example"}));
  // One that is given is verified.
  EXPECT_EQ(attempt(issue({.validity = validity_expired})),
            (Seen{errc::tls_certificate_refused, "not asked"}));
  EXPECT_EQ(attempt(std::nullopt), (Seen{{}, "nobody"}));
}

TEST_P(ClientCertificates, AreRequired) {
  start_demanding(TlsClientCertificates::require);
  const Seen refused{errc::tls_certificate_refused, "not asked"};
  EXPECT_EQ(attempt(std::nullopt), refused);
  EXPECT_EQ(attempt(issue({.validity = validity_expired})), refused);
  EXPECT_EQ(attempt(issue({.validity = validity_future})), refused);
  EXPECT_EQ(attempt(authority().issue({.purpose = CertificatePurpose::client})), refused);
  EXPECT_EQ(attempt(clients_authority().issue({.purpose = CertificatePurpose::server})), refused);
  EXPECT_EQ(attempt(make_self_signed({.purpose = CertificatePurpose::client})), refused);
  EXPECT_EQ(attempt(issue()), (Seen{{}, "CN=a client,O=Example"}));
  const CertificateAuthority middle = clients_authority().intermediate("department");
  EXPECT_EQ(attempt(middle.issue({.common_name = "of a department", .purpose = CertificatePurpose::client})),
            (Seen{{}, "CN=of a department"}));
}

TEST_P(ClientCertificates, AreRequiredByTls12) {
  start_demanding(TlsClientCertificates::require);
  RawTlsClient nobody(address(), {.version_max = TLS1_2_VERSION});
  EXPECT_FALSE(nobody.handshake());
  EXPECT_NE(nobody.peer.alert(), -1);
  RawTlsClient expired(address(),
                       {.version_max = TLS1_2_VERSION, .certificate = issue({.validity = validity_expired})});
  EXPECT_FALSE(expired.handshake());
  EXPECT_EQ(expired.peer.alert(), SSL_AD_CERTIFICATE_EXPIRED);
  RawTlsClient somebody(address(), {.version_max = TLS1_2_VERSION, .certificate = issue()});
  EXPECT_TRUE(somebody.handshake());
  EXPECT_TRUE(somebody.upgrade().starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(log_.has("CN=a client,O=Example"));
}

// Who was let in under one policy, is asked again under another.
TEST_P(ClientCertificates, AreNotRememberedUnderAnotherPolicy) {
  start_demanding(TlsClientCertificates::request);
  ClientOptions sharing = tls_client_options();
  sharing.tls_shared = make_tls_client();
  const auto connect_again = [&] {
    Client client(sharing);
    const std::error_code error = client.connect(tls_url());
    if (error) return std::string("refused");
    EXPECT_EQ(echoed(client, "x"), "x");
    const bool resumed = client.tls()->resumed;
    EXPECT_FALSE(client.close());
    return std::string(resumed ? "resumed" : "new");
  };
  EXPECT_EQ(connect_again(), "new");
  EXPECT_EQ(connect_again(), "resumed");
  ASSERT_FALSE(tls_->load(demanding(TlsClientCertificates::request)));
  EXPECT_EQ(connect_again(), "resumed");
  ASSERT_FALSE(tls_->load(demanding(TlsClientCertificates::require)));
  EXPECT_EQ(connect_again(), "refused");
  ASSERT_FALSE(tls_->load(server_tls_options()));
  EXPECT_EQ(connect_again(), "new");
  // And with the same policy, but other authorities.
  TlsServerOptions others = demanding(TlsClientCertificates::request);
  others.client_roots_pem = authority().roots_pem();
  ASSERT_FALSE(tls_->load(others));
  EXPECT_EQ(connect_again(), "new");
}

// The certificate is the session's: a client that resumes is still known.
TEST_P(ClientCertificates, AreRememberedWithTheSession) {
  start_demanding(TlsClientCertificates::require);
  TlsClientOptions mine = client_tls_options();
  mine.certificate = as_option(issue());
  ClientOptions sharing = tls_client_options();
  sharing.tls_shared = make_tls_client(mine);
  for (int i = 0; i < 3; ++i) {
    Client client = connect_tls(sharing);
    EXPECT_EQ(echoed(client, "x"), "x");
    EXPECT_EQ(client.tls()->resumed, i != 0);
    EXPECT_FALSE(client.close());
  }
  EXPECT_EQ(log_.count("CN=a client,O=Example"), 3u);
}

}  // namespace
}  // namespace sansock::test
