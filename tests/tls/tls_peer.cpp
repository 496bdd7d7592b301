#include "tls_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>

namespace sansock::test {
namespace {

// One of TLS 1.2 that RecordForge knows too.
constexpr const char* cipher_suite = "ECDHE-ECDSA-AES128-GCM-SHA256";

bssl::UniquePtr<BIO> reader(const std::string& text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void use(SSL_CTX* context, const IssuedCertificate& issued) {
  const auto chain = reader(issued.chain_pem);
  const bssl::UniquePtr<X509> own(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context, own.get());
  for (;;) {
    const bssl::UniquePtr<X509> next(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    SSL_CTX_add1_chain_cert(context, next.get());
  }
  ERR_clear_error();
  const auto memory = reader(issued.key_pem);
  const bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_PrivateKey(context, key.get());
}

int select_first(SSL*, const std::uint8_t** out, std::uint8_t* size, const std::uint8_t* in, unsigned,
                 void*) {
  *size = in[0];
  *out = in + 1;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsPeer::TlsPeer(const TlsPeerOptions& options) : context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, options.version_min);
  SSL_CTX_set_max_proto_version(context, options.version_max);
  SSL_CTX_set_strict_cipher_list(context, cipher_suite);
  SSL_CTX_set_keylog_callback(context, on_key);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (options.certificate) use(context, *options.certificate);
  if (options.server) {
    SSL_CTX_set_alpn_select_cb(context, select_first, nullptr);
  } else {
    std::string protocols;
    for (const std::string& protocol : options.application_protocols) {
      protocols += static_cast<char>(protocol.size()) + protocol;
    }
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const std::uint8_t*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
  }
  if (options.prepare) options.prepare(context);
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), on_info);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl_.get(), in, BIO_new(BIO_s_mem()));
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
  if (options.server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

void TlsPeer::put(std::string_view ciphertext) {
  BIO_write(SSL_get_rbio(ssl_.get()), ciphertext.data(), static_cast<int>(ciphertext.size()));
}

std::string TlsPeer::take() {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(SSL_get_wbio(ssl_.get()), &data, &size);
  std::string taken(data, data + size);
  BIO_reset(SSL_get_wbio(ssl_.get()));
  return taken;
}

bool TlsPeer::handshake() {
  if (!established_ && SSL_do_handshake(ssl_.get()) == 1) established_ = true;
  ERR_clear_error();
  return established_;
}

std::string TlsPeer::read() {
  std::string all;
  std::array<char, 16384> part;
  for (;;) {
    const int got = SSL_read(ssl_.get(), part.data(), static_cast<int>(part.size()));
    ERR_clear_error();
    if (got <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
}

bool TlsPeer::write(std::string_view plaintext) {
  while (!plaintext.empty()) {
    const int taken = SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(plaintext.size()));
    ERR_clear_error();
    if (taken <= 0) return false;
    plaintext.remove_prefix(static_cast<std::size_t>(taken));
  }
  return true;
}

void TlsPeer::key_update(bool asked) {
  SSL_key_update(ssl_.get(), asked ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
}

void TlsPeer::close() {
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsPeer::send_alert(std::uint8_t description) {
  SSL_send_fatal_alert(ssl_.get(), description);
  ERR_clear_error();
}

bool TlsPeer::peer_closed() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

std::string TlsPeer::secret(std::string_view label) const {
  for (const std::string& line : key_log_) {
    if (!line.starts_with(label)) continue;
    const std::string hex = line.substr(line.rfind(' ') + 1);
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
  }
  throw std::runtime_error("no such secret: " + std::string(label));
}

void TlsPeer::on_key(const SSL* ssl, const char* line) {
  static_cast<TlsPeer*>(SSL_get_app_data(ssl))->key_log_.emplace_back(line);
}

void TlsPeer::on_info(const SSL* ssl, int kind, int value) {
  if (kind != SSL_CB_READ_ALERT || value >> 8 != SSL3_AL_FATAL) return;
  static_cast<TlsPeer*>(SSL_get_app_data(ssl))->alert_ = value & 0xff;
}

}  // namespace sansock::test
