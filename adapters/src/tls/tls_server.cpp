// TlsServer: what one load() has read is a Set, which connections of that time keep; the next load() makes
// another one.
#include <openssl/err.h>
#include <openssl/sha.h>

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "boring_engine.h"
#include "sansock/clock.h"
#include "sansock/tls.h"
#include "ticket_keys.h"
#include "tls_cause.h"
#include "tls_material.h"

namespace sansock {
namespace {

struct Set {
  std::vector<boringssl::Context> contexts;                  // of each certificate
  std::unordered_map<std::string, SSL_CTX*> by_name;         // DNS names, as they are
  std::unordered_map<std::string, SSL_CTX*> by_parent_name;  // of wildcards: what is behind "*."
  std::string protocols;                                     // as ALPN writes them
  std::shared_ptr<TicketKeys> ticket_keys;
};

SSL_CTX* find_context(const Set& set, const char* server_name) {
  std::string name(server_name);
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (const auto exact = set.by_name.find(name); exact != set.by_name.end()) return exact->second;
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string::npos) return nullptr;
  const auto wildcard = set.by_parent_name.find(name.substr(dot + 1));
  return wildcard == set.by_parent_name.end() ? nullptr : wildcard->second;
}

// A name that there is no certificate for is no reason to refuse (RFC 6066 section 3 leaves it open): the
// client sees by the certificate that it is another one.
int choose_certificate(SSL* ssl, int*, void* set) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* const context = find_context(*static_cast<const Set*>(set), name);
  if (context != nullptr) SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

// RFC 7301 section 3.2: none in common is fatal.
int choose_protocol(SSL*, const std::uint8_t** chosen, std::uint8_t* chosen_size, const std::uint8_t* offered,
                    unsigned offered_size, void* set) {
  const std::string& own = static_cast<const Set*>(set)->protocols;
  std::uint8_t* selected = nullptr;
  const int result =
      SSL_select_next_proto(&selected, chosen_size, reinterpret_cast<const std::uint8_t*>(own.data()),
                            static_cast<unsigned>(own.size()), offered, offered_size);
  *chosen = selected;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int verify_client(X509_STORE_CTX* store, void*) {
  const int verified = X509_verify_cert(store);
  if (verified == 1) return 1;
  const auto* const ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  BoringEngine::of(ssl).set_verification(tls_cause_of_verification(X509_STORE_CTX_get_error(store)));
  return 0;
}

int set_index() noexcept {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int use_ticket_key(SSL* ssl, std::uint8_t* name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher, HMAC_CTX* hmac,
                   int encrypt) {
  // Another certificate's context may have been chosen by now; all of a set have the same keys.
  const auto* const set = static_cast<const Set*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), set_index()));
  return set->ticket_keys->use(name, iv, cipher, hmac, encrypt != 0, MonotonicClock::now());
}

// A session is resumed only under the same demands on clients: what it says of the client's certificate was
// verified under those. The roots themselves count, because a file of the same name may have others now.
bool name_sessions(SSL_CTX* context, const TlsServerOptions& options) {
  std::string demands = "sansock" + std::to_string(static_cast<int>(options.client_certificates));
  const STACK_OF(X509_OBJECT)* const roots = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  for (std::size_t i = 0; i < sk_X509_OBJECT_num(roots); ++i) {
    const X509* const root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(roots, i));
    if (root == nullptr || X509_digest(root, EVP_sha256(), digest.data(), nullptr) != 1) return false;
    demands.append(digest.begin(), digest.end());
  }
  SHA256(reinterpret_cast<const std::uint8_t*>(demands.data()), demands.size(), digest.data());
  return SSL_CTX_set_session_id_context(context, digest.data(), digest.size()) == 1;
}

void use_tickets(SSL_CTX* context, const TlsServerOptions& options) noexcept {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (!options.tickets) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return;
  }
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(2 * options.ticket_key_lifetime);
  const auto seconds = static_cast<std::uint32_t>(lifetime.count());
  SSL_CTX_set_timeout(context, seconds);
  SSL_CTX_set_session_psk_dhe_timeout(context, seconds);
  SSL_CTX_set_tlsext_ticket_key_cb(context, use_ticket_key);
}

std::error_code demand_certificates(SSL_CTX* context, const TlsServerOptions& options, std::string& problem) {
  if (options.client_certificates == TlsClientCertificates::none) return {};
  if (options.client_roots_file.empty() && options.client_roots_pem.empty()) {
    problem = "client certificates are asked for, but there are no roots to verify them with";
    return errc::tls_config_invalid;
  }
  if (auto error = use_roots(context, options.client_roots_file, options.client_roots_pem, problem)) {
    return error;
  }
  const bool require = options.client_certificates == TlsClientCertificates::require;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify_client, nullptr);
  return {};
}

std::error_code add_context(Set& set, const TlsServerOptions& options, const TlsCertificate& certificate,
                            std::string& problem) {
  boringssl::Context made = make_context(options.version_min);
  SSL_CTX* const context = made.get();
  const auto no_memory = [&problem] {
    problem = "there is no memory for a certificate";
    return errc::memory_exhausted;
  };
  if (context == nullptr || SSL_CTX_set_ex_data(context, set_index(), &set) != 1) return no_memory();
  std::vector<std::string> names;
  if (auto error = use_certificate(context, certificate, names, problem)) return error;
  if (auto error = demand_certificates(context, options, problem)) return error;
  if (!name_sessions(context, options)) return no_memory();
  if (auto error = log_keys(context, options.key_log_file, problem)) return error;
  use_tickets(context, options);
  BoringEngine::prepare(context);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(context, &set);
  if (!set.protocols.empty()) SSL_CTX_set_alpn_select_cb(context, choose_protocol, &set);
  for (const std::string& name : names) {
    if (name.starts_with("*.")) {
      set.by_parent_name.emplace(name.substr(2), context);
    } else {
      set.by_name.emplace(name, context);
    }
  }
  set.contexts.push_back(std::move(made));
  return {};
}

}  // namespace

class TlsServer::Impl {
 public:
  mutable std::mutex mutex;
  std::shared_ptr<const Set> set;
  std::string problem;
  std::shared_ptr<TicketKeys> ticket_keys = std::make_shared<TicketKeys>();
};

TlsServer::TlsServer() : impl_(std::make_unique<Impl>()) {}
TlsServer::~TlsServer() = default;

std::error_code TlsServer::load(const TlsServerOptions& options) {
  auto set = std::make_shared<Set>();
  set->ticket_keys = impl_->ticket_keys;
  std::string problem;
  std::error_code error = encode_protocols(options.application_protocols, set->protocols, problem);
  if (!error && options.certificates.empty()) {
    problem = "a server needs at least one certificate";
    error = errc::tls_config_invalid;
  }
  if (!error && options.tickets && options.ticket_key_lifetime < std::chrono::seconds(1)) {
    problem = "the keys of session tickets live for at least a second";
    error = errc::tls_config_invalid;
  }
  for (const TlsCertificate& certificate : options.certificates) {
    if (!error) error = add_context(*set, options, certificate, problem);
  }
  const std::lock_guard lock(impl_->mutex);
  impl_->problem = std::move(problem);
  if (error) return error;
  impl_->ticket_keys->set_lifetime(options.ticket_key_lifetime);
  impl_->set = std::move(set);
  return {};
}

std::string TlsServer::problem() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->problem;
}

std::unique_ptr<TlsEngine> TlsServer::make_engine(BlockPool& pool) const noexcept {
  std::shared_ptr<const Set> set;
  {
    const std::lock_guard lock(impl_->mutex);
    set = impl_->set;
  }
  if (set == nullptr) return nullptr;
  boringssl::Ssl ssl(SSL_new(set->contexts.front().get()));
  std::unique_ptr<BoringEngine> engine(new (std::nothrow)
                                           BoringEngine(std::move(ssl), true, pool, std::move(set)));
  return engine != nullptr && engine->open() ? std::move(engine) : nullptr;
}

}  // namespace sansock
