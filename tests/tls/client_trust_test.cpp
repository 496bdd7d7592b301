// Clients that do not trust a server, over sockets; the cases are those of attacks_certificate_test.cpp.
#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

class ClientTrust : public TlsServerTest {
 protected:
  void serve(const IssuedCertificate& issued) {
    make();
    Route route = echo();
    route.on_request = [this](Peer&, const Request&) {
      log_.add("asked");
      return Decision::accept();
    };
    server().route("/", route);
    TlsServerOptions options;
    options.certificates = {as_option(issued)};
    start_tls(options);
  }
  std::error_code attempt(const TlsClientOptions& tls) {
    ClientOptions options = client_options();
    options.tls = tls;
    Client client(options);
    const std::error_code error = client.connect(tls_url());
    EXPECT_EQ(client.tls_problem(), "");
    EXPECT_EQ(log_.has("asked"), !error);
    return error;
  }
  void expect_refused(errc cause, const TlsClientOptions& tls = client_tls_options()) {
    EXPECT_EQ(attempt(tls), cause);
    EXPECT_TRUE(eventually([this] { return server().counters().closed == server().counters().accepted; }));
    EXPECT_EQ(server().counters().opened, 0u);
  }
};
INSTANTIATE_TEST_SUITE_P(Places, ClientTrust, every_adapter, place_name);

TEST_P(ClientTrust, IsInAuthorities) {
  serve(server_certificate());
  TlsClientOptions others;
  others.roots_pem = CertificateAuthority("another").roots_pem();
  expect_refused(errc::tls_certificate_untrusted, others);
  EXPECT_FALSE(attempt(client_tls_options()));
}

TEST_P(ClientTrust, IsInNames) {
  serve(authority().issue({.dns_names = {"elsewhere.test"}}));
  expect_refused(errc::tls_host_mismatch);
  TlsClientOptions named = client_tls_options();
  named.server_name = "elsewhere.test";
  EXPECT_FALSE(attempt(named));
}

TEST_P(ClientTrust, EndsWithTime) {
  serve(authority().issue({.ip_addresses = {"127.0.0.1"}, .validity = validity_expired}));
  expect_refused(errc::tls_certificate_expired);
  TlsClientOptions careless;
  careless.insecure = true;
  EXPECT_FALSE(attempt(careless));
}

TEST_P(ClientTrust, IsInPins) {
  serve(server_certificate());
  TlsClientOptions pinned = client_tls_options();
  pinned.pins = {public_key_pin(CertificateAuthority("another").roots_pem())};
  expect_refused(errc::tls_pin_mismatch, pinned);
  pinned.pins = {public_key_pin(server_certificate().chain_pem)};
  EXPECT_FALSE(attempt(pinned));
}

TEST_P(ClientTrust, ThatCanNotBeLoadedIsExplained) {
  serve(server_certificate());
  ClientOptions options = client_options();
  options.tls.roots_file = "/nowhere/roots.pem";
  Client client(options);
  EXPECT_EQ(client.connect(tls_url()), std::errc::no_such_file_or_directory);
  EXPECT_EQ(client.tls_problem(), "/nowhere/roots.pem can not be read: No such file or directory");
  EXPECT_EQ(server().counters().accepted, 0u);  // the server was not troubled
}

TEST_P(ClientTrust, IsKeptInSessions) {
  serve(server_certificate());
  Client client(tls_client_options());
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(client.connect(tls_url()));
    EXPECT_EQ(echoed(client, "x"), "x");
    EXPECT_EQ(client.tls()->resumed, i != 0);
    EXPECT_EQ(client.tls()->peer->subject, "CN=server");
    EXPECT_FALSE(client.close());
  }
}

// Over a socket that somebody else has connected, the URL's host is verified all the same.
TEST_P(ClientTrust, CountsForConnectedSocketsToo) {
  serve(server_certificate());
  RawClient good(address());
  Client client(tls_client_options());
  EXPECT_FALSE(client.connect_fd(good.release(), "wss://example.test/"));
  EXPECT_EQ(client.tls()->server_name, "example.test");
  RawClient bad(address());
  Client other(tls_client_options());
  EXPECT_EQ(other.connect_fd(bad.release(), "wss://other.test/"), errc::tls_host_mismatch);
}

}  // namespace
}  // namespace sansock::test
