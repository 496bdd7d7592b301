#pragma once

#include <openssl/x509.h>

#include "sansock/tls.h"

namespace sansock {

TlsPeerCertificate describe_certificate(const X509& certificate);
// The DNS names of its subjectAltName, in lower case; its wildcards begin with "*.".
std::vector<std::string> dns_names(const X509& certificate);
// The base64 of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469 section 2.4); empty without memory.
std::string public_key_pin(const X509& certificate);

}  // namespace sansock
