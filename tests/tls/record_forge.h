// Records made by hand with the keys of a connection: what a TLS library never sends. What the peer itself
// would send afterwards is out of step.
#pragma once

#include <openssl/aead.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tls_peer.h"

namespace sansock::test {

class RecordForge {
 public:
  // In the name of `peer`, which has completed its handshake.
  explicit RecordForge(const TlsPeer& peer);

  std::string record(std::uint8_t type, std::string_view content);
  std::string data(std::string_view content) { return record(SSL3_RT_APPLICATION_DATA, content); }
  std::string alert(std::uint8_t level, std::uint8_t description);
  // TLS 1.3: says KeyUpdate, and has new keys from then on.
  std::string key_update(bool asked);
  // TLS 1.3: a ticket, with so many bytes of nothing in it.
  std::string ticket(std::size_t size);
  // TLS 1.2: asks for a new handshake, as a server and as a client do.
  std::string hello_request() { return handshake(SSL3_MT_HELLO_REQUEST, {}); }
  std::string client_hello();

 private:
  std::string handshake(std::uint8_t type, std::string_view body);
  void derive();

  bool tls_1_3_;
  std::uint64_t sequence_;
  const EVP_AEAD* aead_;
  std::string secret_;  // TLS 1.3
  std::string key_;
  std::string nonce_;  // TLS 1.2: the implicit part
};

}  // namespace sansock::test
