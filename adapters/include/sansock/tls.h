// TLS 1.2 and 1.3 for servers and clients: whom to trust, what to show, and what was agreed on.
//
//   auto tls = std::make_shared<sansock::TlsServer>();
//   if (auto error = tls->load({.certificates = {{.chain_file = "chain.pem", .key_file = "key.pem"}}}))
//     return fail(tls->problem());
//   server.listen({.port = 9443, .tls = tls});
//
// A client needs nothing but a wss:// URL; ClientOptions::tls is for what differs from the usual. Embedders
// take a TlsEngine from either and drive it with a TlsLayer (sansock/tls_layer.h).
//
// What can not be set here is not to be had: compression, renegotiation, early data, static RSA, CBC, SHA-1
// signatures of TLS 1.2, versions before 1.2.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sansock/error.h"
#include "sansock/memory.h"
#include "sansock/types.h"

namespace sansock {

class TlsEngine;

// Whether TLS is built in (meson option `tls`). Without it, all load() and make_engine() give
// errc::url_scheme_unsupported or nullptr.
bool tls_built_in() noexcept;

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };
std::string_view name(TlsVersion version) noexcept;  // "TLS 1.2", "TLS 1.3"

// A certificate, and its key. Of each pair one is given: a file's name, or PEM text. The chain begins with
// the own certificate, and each next one has signed the one before.
struct TlsCertificate {
  std::string chain_file = {};
  std::string chain_pem = {};
  std::string key_file = {};
  std::string key_pem = {};
  // Servers: an answer of the authority's OCSP responder in DER, given to clients that ask for it.
  std::string ocsp_file = {};
};

enum class TlsClientCertificates : std::uint8_t {
  none,     // not asked for
  request,  // asked for; one that is given is verified
  require,  // without a valid one there is no connection
};

struct TlsServerOptions {
  // At least one. Chosen by the name that the client asks for (SNI): an exact name, else a wildcard of one
  // label; the first where none matches or none was named.
  std::vector<TlsCertificate> certificates = {};
  TlsVersion version_min = TlsVersion::tls_1_2;
  // ALPN, in the order of preference. A client that offers only others is refused.
  std::vector<std::string> application_protocols = {"http/1.1"};
  TlsClientCertificates client_certificates = TlsClientCertificates::none;
  // Who may sign those; one of the two is needed unless `none`. PEM.
  std::string client_roots_file = {};
  std::string client_roots_pem = {};
  // Sessions are resumed by tickets, for as long as one key's lifetime and its successor's. New keys are
  // made by themselves; load() keeps them.
  // A resumed session is not verified again: a client's certificate that expires meanwhile still does for so
  // long.
  bool tickets = true;
  Duration ticket_key_lifetime = std::chrono::hours(12);
  // For debugging: appends the keys of every connection to this file, in the form of SSLKEYLOGFILE. Who has
  // it can read all that was sent.
  std::string key_log_file = {};
};

struct TlsClientOptions {
  // Who may sign servers' certificates, in PEM. Both empty: the system's (SSL_CERT_FILE and SSL_CERT_DIR,
  // else /etc/ssl/certs of the package ca-certificates).
  std::string roots_file = {};
  std::string roots_pem = {};
  // Shown to servers that ask for one.
  std::optional<TlsCertificate> certificate = std::nullopt;
  // If not empty, a server must also have one of these keys in its verified chain: "sha256/" and the base64
  // of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 section 2.4).
  std::vector<std::string> pins = {};
  // Takes any certificate of any name. Whoever sits in between can then read and change everything, unless
  // there are pins: those are still checked, of the server's own certificate.
  bool insecure = false;
  // To be asked for and verified instead of the URL's host.
  std::string server_name = {};
  TlsVersion version_min = TlsVersion::tls_1_2;
  std::vector<std::string> application_protocols = {"http/1.1"};
  bool resume = true;             // sessions of earlier connections to the same host and port
  std::string key_log_file = {};  // as in TlsServerOptions
};

// A peer's certificate that was verified.
struct TlsPeerCertificate {
  std::string subject;  // as RFC 2253 writes names: "CN=client,O=example"
  std::string issuer;
  std::vector<std::string> names;  // subjectAltName: DNS names, addresses, e-mail addresses and URIs
  std::string serial;              // hexadecimal
  std::string fingerprint_sha256;  // of the whole certificate, hexadecimal
};

// What was agreed on.
struct TlsStatus {
  bool established = false;
  TlsVersion version = TlsVersion::tls_1_3;
  std::string cipher_suite;          // "TLS_AES_128_GCM_SHA256"
  std::string application_protocol;  // ALPN; empty if none was negotiated
  std::string server_name;           // SNI; empty if there was none
  bool resumed = false;
  // Of a server: none if the client gave none. Of a client: none with TlsClientOptions::insecure.
  std::optional<TlsPeerCertificate> peer;
};

// A server's certificates and keys. Any thread may use it; it lives as long as its last user.
class TlsServer {
 public:
  TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  // Reads everything and uses it for connections from now on; again for new certificates: those that are
  // there go on with the old ones. On error nothing has changed, and problem() tells what to do in one
  // sentence.
  std::error_code load(const TlsServerOptions& options);
  std::string problem() const;

  // For one connection; nullptr without load() or memory. Ciphertext is queued in blocks of `pool`.
  std::unique_ptr<TlsEngine> make_engine(BlockPool& pool) const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A client's trust, certificate and sessions. Any thread may use it.
class TlsClient {
 public:
  TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  // As of TlsServer.
  std::error_code load(const TlsClientOptions& options);
  std::string problem() const;

  // For one connection to a host: a name, or an address (without brackets), which is then verified as such.
  std::unique_ptr<TlsEngine> make_engine(BlockPool& pool, std::string_view host,
                                         std::uint16_t port) const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sansock
