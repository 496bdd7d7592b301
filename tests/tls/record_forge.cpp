#include "record_forge.h"

#include <openssl/hkdf.h>

#include <algorithm>
#include <stdexcept>

namespace sansock::test {
namespace {

const std::uint8_t* octets(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string number(std::uint64_t value, int size) {
  std::string text;
  while (size-- > 0) text += static_cast<char>(value >> (8 * size));
  return text;
}

// RFC 8446 section 7.1, with an empty context.
std::string expand_label(const std::string& secret, const std::string& label, std::size_t size) {
  const std::string full = "tls13 " + label;
  const std::string info = number(size, 2) + number(full.size(), 1) + full + number(0, 1);
  std::string made(size, '\0');
  HKDF_expand(reinterpret_cast<std::uint8_t*>(made.data()), size, EVP_sha256(), octets(secret), secret.size(),
              octets(info), info.size());
  return made;
}

}  // namespace

RecordForge::RecordForge(const TlsPeer& peer)
    : tls_1_3_(SSL_version(peer.ssl()) == TLS1_3_VERSION),
      sequence_(SSL_get_write_sequence(peer.ssl())),
      aead_(EVP_aead_aes_128_gcm()) {
  const bool server = SSL_is_server(peer.ssl()) == 1;
  if (tls_1_3_) {
    if (SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(peer.ssl())) == 0x1303) {
      aead_ = EVP_aead_chacha20_poly1305();
    }
    secret_ = peer.secret(server ? "SERVER_TRAFFIC_SECRET_0" : "CLIENT_TRAFFIC_SECRET_0");
    derive();
    return;
  }
  // RFC 5246 section 6.3: the clients's key, the server's, the client's nonce, the server's.
  std::string block(SSL_get_key_block_len(peer.ssl()), '\0');
  if (SSL_generate_key_block(peer.ssl(), reinterpret_cast<std::uint8_t*>(block.data()), block.size()) != 1) {
    throw std::runtime_error("no key block");
  }
  key_ = block.substr(server ? 16 : 0, 16);
  nonce_ = block.substr(server ? 36 : 32, 4);
}

void RecordForge::derive() {
  key_ = expand_label(secret_, "key", EVP_AEAD_key_length(aead_));
  nonce_ = expand_label(secret_, "iv", EVP_AEAD_nonce_length(aead_));
}

std::string RecordForge::record(std::uint8_t type, std::string_view content) {
  const std::string sequence = number(sequence_++, 8);
  std::string nonce = nonce_;
  std::string plain(content);
  std::string header;
  std::string extra;
  if (tls_1_3_) {
    for (std::size_t i = 0; i < 8; ++i) nonce[nonce.size() - 8 + i] ^= sequence[i];
    plain += static_cast<char>(type);
    const std::size_t size = plain.size() + EVP_AEAD_max_overhead(aead_);
    header = number(SSL3_RT_APPLICATION_DATA, 1) + number(TLS1_2_VERSION, 2) + number(size, 2);
    extra = header;
  } else {
    nonce += sequence;
    const std::size_t size = sequence.size() + plain.size() + EVP_AEAD_max_overhead(aead_);
    header = number(type, 1) + number(TLS1_2_VERSION, 2) + number(size, 2) + sequence;
    extra = sequence + number(type, 1) + number(TLS1_2_VERSION, 2) + number(plain.size(), 2);
  }
  bssl::ScopedEVP_AEAD_CTX context;
  std::string sealed(plain.size() + EVP_AEAD_max_overhead(aead_), '\0');
  std::size_t size = 0;
  if (EVP_AEAD_CTX_init(context.get(), aead_, octets(key_), key_.size(), EVP_AEAD_DEFAULT_TAG_LENGTH,
                        nullptr) != 1 ||
      EVP_AEAD_CTX_seal(context.get(), reinterpret_cast<std::uint8_t*>(sealed.data()), &size, sealed.size(),
                        octets(nonce), nonce.size(), octets(plain), plain.size(), octets(extra),
                        extra.size()) != 1) {
    throw std::runtime_error("a record can not be sealed");
  }
  return header + sealed.substr(0, size);
}

std::string RecordForge::alert(std::uint8_t level, std::uint8_t description) {
  return record(SSL3_RT_ALERT, number(level, 1) + number(description, 1));
}

std::string RecordForge::handshake(std::uint8_t type, std::string_view body) {
  return record(SSL3_RT_HANDSHAKE, number(type, 1) + number(body.size(), 3) + std::string(body));
}

std::string RecordForge::key_update(bool asked) {
  const std::string made = handshake(SSL3_MT_KEY_UPDATE, number(asked ? 1 : 0, 1));
  secret_ = expand_label(secret_, "traffic upd", secret_.size());
  derive();
  sequence_ = 0;
  return made;
}

std::string RecordForge::ticket(std::size_t size) {
  const std::string lifetime = number(3600, 4);
  return handshake(SSL3_MT_NEW_SESSION_TICKET, lifetime + number(7, 4) + number(1, 1) + number(1, 1) +
                                                   number(size, 2) + std::string(size, 't') + number(0, 2));
}

std::string RecordForge::client_hello() {
  return handshake(SSL3_MT_CLIENT_HELLO, number(TLS1_2_VERSION, 2) + std::string(32, 'r') + number(0, 1) +
                                             number(2, 2) + number(0xc02b, 2) + number(1, 1) + number(0, 1));
}

}  // namespace sansock::test
