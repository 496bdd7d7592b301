// Row M5 of the list of attacks: somebody else in the server's place. The client finds out before it has said
// anything but "hello".
#include "layer_side.h"

namespace sansock::test {
namespace {

struct Met {
  errc cause = errc::none;
  std::string asked_for;  // by SNI
  int alert = -1;         // what the server is told
  std::optional<TlsPeerCertificate> certificate;
};

// A client that connects to `host`, where there is a server with this certificate.
Met meet(const IssuedCertificate& issued, const std::string& host, const TlsClientOptions& options,
         std::uint16_t version) {
  const auto tls = make_tls_client(options);
  LayerSide client(Role::client, [&](BlockPool& pool) { return tls->make_engine(pool, host, 443); });
  TlsPeer peer({.server = true, .version_max = version, .certificate = issued});
  shake_hands(client, peer);
  peer.put(client.take());
  const std::string heard = peer.read();
  Met met;
  if (const char* const name = SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name))
    met.asked_for = name;
  met.alert = peer.alert();
  met.certificate = client.layer.status().peer;
  if (client.log.empty()) {
    EXPECT_TRUE(heard.starts_with("GET / HTTP/1.1\r\n")) << heard;
    return met;
  }
  EXPECT_EQ(heard, "");
  EXPECT_NE(met.alert, -1);  // and it knows why
  met.cause = client.endpoint().close_status().cause;
  EXPECT_NE(met.cause, errc::none);
  return met;
}

class AttacksCertificate : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  static Met meet(const IssuedCertificate& issued, const std::string& host,
                  const TlsClientOptions& options = client_tls_options()) {
    return test::meet(issued, host, options, GetParam());
  }
  static errc verdict(const CertificateSpec& spec, const std::string& host) {
    return meet(authority().issue(spec), host).cause;
  }
  static errc names(std::vector<std::string> dns_names, const std::string& host) {
    return verdict({.common_name = "names", .dns_names = std::move(dns_names)}, host);
  }
  static TlsClientOptions pinned(std::vector<std::string> pins) {
    TlsClientOptions options = client_tls_options();
    options.pins = std::move(pins);
    return options;
  }
  static TlsClientOptions insecure(std::vector<std::string> pins = {}) {
    TlsClientOptions options;
    options.insecure = true;
    options.pins = std::move(pins);
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, AttacksCertificate, ::testing::ValuesIn(both_versions),
                         [](const auto& of) { return of.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(AttacksCertificate, M5Names) {
  EXPECT_EQ(names({"localhost"}, "localhost"), errc::none);
  EXPECT_EQ(names({"localhost"}, "LocalHost"), errc::none);
  EXPECT_EQ(names({"LOCALHOST"}, "localhost"), errc::none);
  EXPECT_EQ(names({"localhost"}, "localhost."), errc::none);
  EXPECT_EQ(names({"a.test", "b.test"}, "b.test"), errc::none);
  EXPECT_EQ(names({"a.test"}, "b.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"a.test"}, "x.a.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"a.test"}, "a.tes"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"x.a.test"}, "a.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({}, "a.test"), errc::tls_host_mismatch);
}

// RFC 9525 section 2: the subject's common name is no name of the server.
TEST_P(AttacksCertificate, M5CommonNameIsNoName) {
  EXPECT_EQ(verdict({.common_name = "a.test"}, "a.test"), errc::tls_host_mismatch);
  EXPECT_EQ(verdict({.common_name = "127.0.0.1"}, "127.0.0.1"), errc::tls_host_mismatch);
  EXPECT_EQ(verdict({.common_name = "a.test", .dns_names = {"b.test"}}, "a.test"), errc::tls_host_mismatch);
}

// RFC 9525 section 6.3: a wildcard is the whole first label, and stands for one.
TEST_P(AttacksCertificate, M5Wildcards) {
  EXPECT_EQ(names({"*.example.test"}, "a.example.test"), errc::none);
  EXPECT_EQ(names({"*.example.test"}, "b.a.example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"*.example.test"}, "example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"*.example.test"}, ".example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"a*.example.test"}, "ab.example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"*a.example.test"}, "ba.example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"a.*.test"}, "a.example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"*.*.test"}, "a.example.test"), errc::tls_host_mismatch);
  EXPECT_EQ(names({"*"}, "localhost"), errc::tls_host_mismatch);
}

TEST_P(AttacksCertificate, M5Addresses) {
  EXPECT_EQ(verdict({.ip_addresses = {"127.0.0.1"}}, "127.0.0.1"), errc::none);
  EXPECT_EQ(verdict({.ip_addresses = {"::1"}}, "::1"), errc::none);
  EXPECT_EQ(verdict({.ip_addresses = {"::1"}}, "0:0:0:0:0:0:0:1"), errc::none);
  EXPECT_EQ(verdict({.ip_addresses = {"127.0.0.1"}}, "127.0.0.2"), errc::tls_host_mismatch);
  EXPECT_EQ(verdict({.ip_addresses = {"127.0.0.1"}}, "::1"), errc::tls_host_mismatch);
  EXPECT_EQ(verdict({.ip_addresses = {"127.0.0.1"}}, "localhost"), errc::tls_host_mismatch);
  // An address that is written as a name is none.
  EXPECT_EQ(verdict({.dns_names = {"127.0.0.1"}}, "127.0.0.1"), errc::tls_host_mismatch);
  EXPECT_EQ(verdict({.dns_names = {"localhost"}}, "127.0.0.1"), errc::tls_host_mismatch);
}

TEST_P(AttacksCertificate, M5NamesAreAskedForAndAddressesAreNot) {
  EXPECT_EQ(meet(server_certificate(), "localhost").asked_for, "localhost");
  EXPECT_EQ(meet(server_certificate(), "localhost.").asked_for, "localhost");  // RFC 6066 section 3
  EXPECT_EQ(meet(server_certificate(), "127.0.0.1").asked_for, "");
  EXPECT_EQ(meet(server_certificate(), "::1").asked_for, "");
  TlsClientOptions other = client_tls_options();
  other.server_name = "example.test";
  const Met met = meet(server_certificate(), "127.0.0.1", other);
  EXPECT_EQ(met.cause, errc::none);
  EXPECT_EQ(met.asked_for, "example.test");
  other.server_name = "other.test";
  EXPECT_EQ(meet(server_certificate(), "localhost", other).cause, errc::tls_host_mismatch);
}

TEST_P(AttacksCertificate, M5Times) {
  CertificateSpec spec{.dns_names = {"localhost"}};
  spec.validity = validity_expired;
  EXPECT_EQ(verdict(spec, "localhost"), errc::tls_certificate_expired);
  spec.validity = validity_future;
  EXPECT_EQ(verdict(spec, "localhost"), errc::tls_certificate_not_yet_valid);
  const CertificateAuthority past = authority().intermediate("past", KeyKind::p256, validity_expired);
  EXPECT_EQ(meet(past.issue({.dns_names = {"localhost"}}), "localhost").cause, errc::tls_certificate_expired);
}

TEST_P(AttacksCertificate, M5Authorities) {
  const CertificateSpec spec{.dns_names = {"localhost"}};
  EXPECT_EQ(meet(make_self_signed(spec), "localhost").cause, errc::tls_certificate_untrusted);
  EXPECT_EQ(meet(CertificateAuthority("somebody").issue(spec), "localhost").cause,
            errc::tls_certificate_untrusted);
  // One of the same name, with another key.
  const errc namesake = meet(CertificateAuthority("test root").issue(spec), "localhost").cause;
  EXPECT_TRUE(namesake == errc::tls_certificate_untrusted || namesake == errc::tls_certificate_invalid);
  const CertificateAuthority middle = authority().intermediate("middle");
  IssuedCertificate issued = middle.issue(spec);
  EXPECT_EQ(meet(issued, "localhost").cause, errc::none);
  issued.chain_pem.resize(issued.chain_pem.size() - middle.chain_pem().size());
  EXPECT_EQ(meet(issued, "localhost").cause, errc::tls_certificate_untrusted);
}

TEST_P(AttacksCertificate, M5Purposes) {
  CertificateSpec spec{.dns_names = {"localhost"}};
  spec.purpose = CertificatePurpose::client;
  EXPECT_EQ(verdict(spec, "localhost"), errc::tls_certificate_invalid);
  spec.purpose = CertificatePurpose::server_and_client;
  EXPECT_EQ(verdict(spec, "localhost"), errc::none);
}

TEST_P(AttacksCertificate, M5PinsOfTheChain) {
  const CertificateAuthority middle = authority().intermediate("middle");
  const IssuedCertificate issued = middle.issue({.dns_names = {"localhost"}});
  const std::string own = public_key_pin(issued.chain_pem);
  const std::string above = public_key_pin(middle.certificate_pem());
  const std::string root = public_key_pin(authority().roots_pem());
  const std::string other = public_key_pin(server_certificate().chain_pem);
  for (const std::string& pin : {own, above, root}) {
    EXPECT_EQ(meet(issued, "localhost", pinned({pin})).cause, errc::none);
    EXPECT_EQ(meet(issued, "localhost", pinned({other, pin})).cause, errc::none);
  }
  EXPECT_EQ(meet(issued, "localhost", pinned({other})).cause, errc::tls_pin_mismatch);
  // A pin takes the place of nothing.
  EXPECT_EQ(meet(issued, "other.test", pinned({own})).cause, errc::tls_host_mismatch);
  const IssuedCertificate alone = make_self_signed({.dns_names = {"localhost"}});
  EXPECT_EQ(meet(alone, "localhost", pinned({public_key_pin(alone.chain_pem)})).cause,
            errc::tls_certificate_untrusted);
  // RFC 7469 section 2.6: what is only sent along was not verified.
  IssuedCertificate stuffed = issued;
  stuffed.chain_pem += server_certificate().chain_pem;
  EXPECT_EQ(meet(stuffed, "localhost", pinned({other})).cause, errc::tls_pin_mismatch);
}

TEST_P(AttacksCertificate, M5InsecureTakesAnythingButAnotherPin) {
  CertificateSpec spec{.dns_names = {"other.test"}};
  spec.validity = validity_expired;
  const IssuedCertificate alone = make_self_signed(spec);
  const Met met = meet(alone, "localhost", insecure());
  EXPECT_EQ(met.cause, errc::none);
  EXPECT_FALSE(met.certificate);  // which would look like a verified one
  const std::string own = public_key_pin(alone.chain_pem);
  const std::string other = public_key_pin(server_certificate().chain_pem);
  EXPECT_EQ(meet(alone, "localhost", insecure({own})).cause, errc::none);
  EXPECT_EQ(meet(alone, "localhost", insecure({other})).cause, errc::tls_pin_mismatch);
  // Without verification, a chain proves nothing: only the server's own key counts.
  const IssuedCertificate issued = authority().issue(spec);
  EXPECT_EQ(meet(issued, "localhost", insecure({public_key_pin(authority().roots_pem())})).cause,
            errc::tls_pin_mismatch);
  IssuedCertificate stuffed = alone;
  stuffed.chain_pem += server_certificate().chain_pem;
  EXPECT_EQ(meet(stuffed, "localhost", insecure({other})).cause, errc::tls_pin_mismatch);
}

TEST_P(AttacksCertificate, M5WhatWasVerifiedIsTold) {
  const Met met = meet(authority().issue({.common_name = "the server",
                                          .organization = "Example",
                                          .dns_names = {"localhost", "*.example.test"},
                                          .ip_addresses = {"127.0.0.1"}}),
                       "localhost");
  ASSERT_TRUE(met.certificate);
  EXPECT_EQ(met.certificate->subject, "CN=the server,O=Example");
  EXPECT_EQ(met.certificate->issuer, "CN=test root");
  EXPECT_EQ(met.certificate->names, (std::vector<std::string>{"localhost", "*.example.test", "127.0.0.1"}));
  EXPECT_EQ(met.certificate->fingerprint_sha256.size(), 64u);
  EXPECT_FALSE(met.certificate->serial.empty());
}

// A name with a NUL in it ends there for careless readers.
TEST_P(AttacksCertificate, M5HostsThatAreNoNames) {
  const auto tls = make_tls_client();
  testing::TestPool pool;
  EXPECT_EQ(tls->make_engine(pool, std::string_view("localhost\0.test", 15), 443), nullptr);
  EXPECT_EQ(tls->make_engine(pool, "", 443), nullptr);
  EXPECT_EQ(tls->make_engine(pool, std::string(300, 'n'), 443), nullptr);
}

}  // namespace
}  // namespace sansock::test
