// Certificates, keys and roots, from files or memory, into a BoringSSL context. Each call gives an error and
// writes into `problem` which file or text it is about, and what to do.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include "boringssl.h"
#include "sansock/tls.h"

namespace sansock {

// A context with what servers and clients have in common: versions, cipher suites, signature algorithms.
boringssl::Context make_context(TlsVersion version_min) noexcept;

// The chain, the key and the OCSP answer; `names` gets the DNS names of the certificate.
std::error_code use_certificate(SSL_CTX* context, const TlsCertificate& certificate,
                                std::vector<std::string>& names, std::string& problem);
// Adds PEM certificates of authorities. At least one; from a file, or from `pem` where that has no name.
std::error_code use_roots(SSL_CTX* context, const std::string& file, const std::string& pem,
                          std::string& problem);
// The system's: SSL_CERT_FILE and SSL_CERT_DIR, else /etc/ssl/certs or where other distributions have them.
std::error_code use_system_roots(SSL_CTX* context, std::string& problem);
// As ALPN writes them (RFC 7301 section 3.1): each behind its length.
std::error_code encode_protocols(const std::vector<std::string>& protocols, std::string& encoded,
                                 std::string& problem);
// Appends the keys of each connection of the context to a file.
std::error_code log_keys(SSL_CTX* context, const std::string& file, std::string& problem);

}  // namespace sansock
