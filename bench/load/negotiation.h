// What the server agrees to, asked by one connection before all others: the tape is made for it.
#pragma once

#include "connection.h"

namespace load {

struct Negotiated {
  DeflateAgreement deflate;
  std::string tls_cipher;  // with its version; empty without TLS
};

// Throws std::runtime_error if the server refuses, or chose what can not be used.
Negotiated negotiate(const Options& options, const TlsContext* tls);

}  // namespace load
