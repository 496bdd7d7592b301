// TlsClient: as TlsServer, one context for each load().
#include <arpa/inet.h>
#include <openssl/base64.h>
#include <openssl/err.h>

#include <array>
#include <mutex>

#include "boring_engine.h"
#include "peer_certificate.h"
#include "sansock/tls.h"
#include "session_cache.h"
#include "tls_cause.h"
#include "tls_material.h"

namespace sansock {
namespace {

constexpr std::string_view pin_prefix = "sha256/";
constexpr std::size_t pin_size = 44;  // the base64 of 32 bytes

// Whether it is that: no other text could ever be the pin of a key.
bool is_digest(std::string_view base64) noexcept {
  std::array<std::uint8_t, 3 * pin_size / 4> digest;
  std::size_t size = 0;
  return base64.size() == pin_size &&
         EVP_DecodeBase64(digest.data(), &size, digest.size(),
                          reinterpret_cast<const std::uint8_t*>(base64.data()), base64.size()) == 1 &&
         size == digest.size() - 1;
}

struct Set {
  TlsClientOptions options;
  std::vector<std::string> pins;  // without their prefix
  boringssl::Context context;
  std::shared_ptr<TlsSessionCache> sessions = std::make_shared<TlsSessionCache>();
};

bool is_address(const std::string& host) noexcept {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool pinned(const Set& set, X509* certificate) {
  const std::string pin = certificate == nullptr ? std::string() : public_key_pin(*certificate);
  for (const std::string& wanted : set.pins) {
    if (wanted == pin) return true;
  }
  return false;
}

// RFC 7469 section 2.6: of the chain that was verified, which a server can not stuff with certificates that
// have nothing to do with it. Without verification, only of the server's own.
bool chain_pinned(const Set& set, X509_STORE_CTX* store) {
  if (set.pins.empty()) return true;
  if (set.options.insecure) return pinned(set, X509_STORE_CTX_get0_cert(store));
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(store);
  for (std::size_t i = 0; i < sk_X509_num(chain); ++i) {
    if (pinned(set, sk_X509_value(chain, i))) return true;
  }
  return false;
}

int verify_server(X509_STORE_CTX* store, void* given) {
  const Set& set = *static_cast<const Set*>(given);
  if (!set.options.insecure && X509_verify_cert(store) != 1) {
    // Its error is what the alert and the cause are made of.
  } else if (chain_pinned(set, store)) {
    // A pin alone says nothing of names and dates: this is no verified peer.
    if (set.options.insecure) X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
    return 1;
  } else {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  const auto* const ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  BoringEngine::of(ssl).set_verification(tls_cause_of_verification(X509_STORE_CTX_get_error(store)));
  return 0;
}

int note_certificate_request(SSL* ssl, void*) {
  if (SSL_get_privatekey(ssl) == nullptr) BoringEngine::of(ssl).set_certificate_missing();
  return 1;
}

std::error_code use_pins(Set& set, std::string& problem) {
  for (const std::string& pin : set.options.pins) {
    if (!pin.starts_with(pin_prefix) || !is_digest(std::string_view(pin).substr(pin_prefix.size()))) {
      problem = "'" + pin + "' is no pin: sha256/ and the base64 of 32 bytes";
      return errc::tls_config_invalid;
    }
    set.pins.push_back(pin.substr(pin_prefix.size()));
  }
  return {};
}

std::error_code use_trust(Set& set, std::string& problem) {
  SSL_CTX* const context = set.context.get();
  const TlsClientOptions& options = set.options;
  if (auto error = use_pins(set, problem)) return error;
  if (options.insecure && set.pins.empty()) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_server, &set);
  if (options.insecure) return {};
  if (options.roots_file.empty() && options.roots_pem.empty()) return use_system_roots(context, problem);
  return use_roots(context, options.roots_file, options.roots_pem, problem);
}

std::error_code fill(Set& set, std::string& problem) {
  const TlsClientOptions& options = set.options;
  set.context = make_context(options.version_min);
  SSL_CTX* const context = set.context.get();
  if (context == nullptr) {
    problem = "there is no memory for TLS";
    return errc::memory_exhausted;
  }
  if (auto error = use_trust(set, problem)) return error;
  std::vector<std::string> names;
  if (options.certificate) {
    if (auto error = use_certificate(context, *options.certificate, names, problem)) return error;
  }
  SSL_CTX_set_cert_cb(context, note_certificate_request, nullptr);
  std::string protocols;
  if (auto error = encode_protocols(options.application_protocols, protocols, problem)) return error;
  // Of these, 0 is success.
  if (SSL_CTX_set_alpn_protos(context, reinterpret_cast<const std::uint8_t*>(protocols.data()),
                              static_cast<unsigned>(protocols.size())) != 0) {
    problem = "the application protocols can not be offered";
    return errc::tls_config_invalid;
  }
  if (auto error = log_keys(context, options.key_log_file, problem)) return error;
  const int cache = options.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF;
  SSL_CTX_set_session_cache_mode(context, cache);
  BoringEngine::prepare(context);
  return {};
}

// Whom to ask for, and whose certificate to accept. RFC 6066 section 3: addresses are not asked for.
bool name_server(SSL* ssl, std::string host) noexcept {
  X509_VERIFY_PARAM* const demands = SSL_get0_param(ssl);
  if (host.find('\0') != std::string::npos) return false;  // BoringSSL would see what is before it
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(demands, host.c_str()) == 1;
  if (host.size() > 1 && host.back() == '.')
    host.pop_back();  // of a name that is complete; not in certificates
  // RFC 9525 section 6.3: only subjectAltName, and wildcards only as a whole label.
  X509_VERIFY_PARAM_set_hostflags(demands,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

}  // namespace

class TlsClient::Impl {
 public:
  mutable std::mutex mutex;
  std::shared_ptr<const Set> set;
  std::string problem;
};

TlsClient::TlsClient() : impl_(std::make_unique<Impl>()) {}
TlsClient::~TlsClient() = default;

std::error_code TlsClient::load(const TlsClientOptions& options) {
  auto set = std::make_shared<Set>();
  set->options = options;
  std::string problem;
  const std::error_code error = fill(*set, problem);
  const std::lock_guard lock(impl_->mutex);
  impl_->problem = std::move(problem);
  if (!error) impl_->set = std::move(set);
  return error;
}

std::string TlsClient::problem() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->problem;
}

std::unique_ptr<TlsEngine> TlsClient::make_engine(BlockPool& pool, std::string_view host,
                                                  std::uint16_t port) const noexcept {
  std::shared_ptr<const Set> set;
  {
    const std::lock_guard lock(impl_->mutex);
    set = impl_->set;
  }
  if (set == nullptr) return nullptr;
  const std::string name = set->options.server_name.empty() ? std::string(host) : set->options.server_name;
  boringssl::Ssl ssl(SSL_new(set->context.get()));
  if (ssl == nullptr || !name_server(ssl.get(), name)) return nullptr;
  std::unique_ptr<BoringEngine> engine(new (std::nothrow) BoringEngine(std::move(ssl), false, pool, set));
  if (engine == nullptr || !engine->open()) return nullptr;
  if (set->options.resume) {
    std::string key = name + '/' + std::string(host) + ':' + std::to_string(port);
    engine->resume(set->sessions, std::move(key));
  }
  return engine;
}

}  // namespace sansock
