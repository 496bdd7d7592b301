// Several certificates of one server, and new ones while it runs.
#include "tls_server_fixture.h"

namespace sansock::test {
namespace {

TlsCertificate issue(const std::string& common_name, std::vector<std::string> dns_names,
                     KeyKind key = KeyKind::p256) {
  dns_names.push_back("any.test");  // so that the client is content wherever that is asked for
  return as_option(authority().issue({.common_name = common_name,
                                      .dns_names = std::move(dns_names),
                                      .ip_addresses = {"127.0.0.1"},
                                      .key = key}));
}

class ServerNames : public TlsServerTest {
 protected:
  // Which certificate is shown to who asks for this name, verified or not.
  std::string shown(const std::string& server_name) {
    RawTlsClient raw(address(), {.server_name = server_name});
    EXPECT_TRUE(raw.handshake());
    const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(raw.peer.ssl()));
    if (!certificate) return "none";
    char name[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
  }
};
INSTANTIATE_TEST_SUITE_P(Places, ServerNames, every_adapter, place_name);

TEST_P(ServerNames, ChooseTheCertificate) {
  make();
  Route route = echo();
  route.on_open = [this](Peer& peer) { log_.add(peer.tls()->server_name); };
  server().route("/", route);
  TlsServerOptions options;
  options.certificates = {issue("fallback", {}), issue("exact", {"a.example.test", "Upper.Test"}),
                          issue("wildcard", {"*.example.test"}),
                          issue("rsa", {"rsa.test"}, KeyKind::rsa_2048)};
  start_tls(options);
  EXPECT_EQ(shown(""), "fallback");
  EXPECT_EQ(shown("unknown.test"), "fallback");
  EXPECT_EQ(shown("a.example.test"), "exact");
  EXPECT_EQ(shown("A.Example.TEST"), "exact");
  EXPECT_EQ(shown("upper.test"), "exact");
  EXPECT_EQ(shown("b.example.test"), "wildcard");
  EXPECT_EQ(shown("b.a.example.test"), "fallback");
  EXPECT_EQ(shown("example.test"), "fallback");
  // The first of those that have it: "any.test".
  EXPECT_EQ(shown("any.test"), "fallback");
  EXPECT_EQ(subject_for("b.example.test"), "CN=wildcard");
  EXPECT_EQ(subject_for("rsa.test").substr(0, 3), "CN=");
  EXPECT_EQ(log_.lines(), (std::vector<std::string>{"b.example.test", "rsa.test"}));
}

TEST_P(ServerNames, ReloadingLeavesConnectionsAlone) {
  make();
  server().route("/", echo());
  TlsServerOptions options;
  options.certificates = {issue("old", {})};
  start_tls(options);
  Client old = connect_tls();
  EXPECT_EQ(old.tls()->peer->subject, "CN=old");
  // One that is in the middle of its handshake goes on with what it began with.
  RawTlsClient slow(address());
  slow.peer.handshake();
  const std::string hello = slow.peer.take();
  slow.raw.send(std::string_view(hello).substr(0, 10));
  EXPECT_TRUE(eventually([this] { return server().connections() == 2; }));

  options.certificates = {issue("new", {})};
  EXPECT_FALSE(tls_->load(options));
  Client fresh = connect_tls();
  EXPECT_EQ(fresh.tls()->peer->subject, "CN=new");
  EXPECT_EQ(echoed(old, "old"), "old");
  EXPECT_EQ(old.tls()->peer->subject, "CN=old");
  EXPECT_EQ(echoed(fresh, "new"), "new");
  slow.raw.send(std::string_view(hello).substr(10));
  EXPECT_TRUE(slow.handshake());
  EXPECT_TRUE(slow.upgrade().starts_with("HTTP/1.1 101 "));

  // What can not be used changes nothing.
  options.certificates = {{.chain_pem = "junk", .key_pem = "junk"}};
  EXPECT_TRUE(tls_->load(options));
  EXPECT_NE(tls_->problem(), "");
  EXPECT_EQ(shown(""), "new");
  EXPECT_EQ(echoed(old, "still"), "still");
}

TEST_P(ServerNames, ReloadingKeepsTickets) {
  make();
  server().route("/", echo());
  TlsServerOptions options;
  options.certificates = {issue("old", {})};
  start_tls(options);
  ClientOptions sharing = tls_client_options();
  sharing.tls_shared = make_tls_client();
  {
    Client first = connect_tls(sharing);
    EXPECT_EQ(echoed(first, "x"), "x");
    EXPECT_FALSE(first.close());
  }
  options.certificates = {issue("new", {})};
  EXPECT_FALSE(tls_->load(options));
  const Client second = connect_tls(sharing);
  EXPECT_TRUE(second.tls()->resumed);
  EXPECT_EQ(second.tls()->peer->subject, "CN=old");  // who was verified then
}

}  // namespace
}  // namespace sansock::test
