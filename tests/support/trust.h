// An authority that the tests' clients trust, and what it has issued to "localhost", example.test and the
// addresses of this machine. Made once: keys take time.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "certificates.h"
#include "sansock/tls.h"

namespace sansock::test {

inline const CertificateAuthority& authority() {
  static const CertificateAuthority made("test root");
  return made;
}

inline const IssuedCertificate& server_certificate() {
  static const IssuedCertificate made = authority().issue({.common_name = "server",
                                                           .dns_names = {"localhost", "example.test"},
                                                           .ip_addresses = {"127.0.0.1", "::1"}});
  return made;
}

inline TlsCertificate as_option(const IssuedCertificate& issued) {
  return {.chain_pem = issued.chain_pem, .key_pem = issued.key_pem};
}

inline TlsServerOptions server_tls_options() {
  TlsServerOptions options;
  options.certificates = {as_option(server_certificate())};
  return options;
}
inline TlsClientOptions client_tls_options() {
  TlsClientOptions options;
  options.roots_pem = authority().roots_pem();
  return options;
}

inline std::shared_ptr<TlsServer> make_tls_server(const TlsServerOptions& options = server_tls_options()) {
  auto made = std::make_shared<TlsServer>();
  EXPECT_FALSE(made->load(options)) << made->problem();
  return made;
}
inline std::shared_ptr<TlsClient> make_tls_client(const TlsClientOptions& options = client_tls_options()) {
  auto made = std::make_shared<TlsClient>();
  EXPECT_FALSE(made->load(options)) << made->problem();
  return made;
}

}  // namespace sansock::test
