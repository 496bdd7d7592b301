#include "tls_material.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>

#include "peer_certificate.h"
#include "sansock/socket.h"

namespace sansock {
namespace {

constexpr std::size_t file_size_max = 4u << 20;  // a list of all authorities has 0.2 MiB
constexpr std::size_t protocol_size_max = 255;
constexpr mode_t owner_only = 0600;

// RFC 9325: no CBC, no static RSA, forward secrecy. Those of TLS 1.3 are all of this kind.
constexpr const char* cipher_suites =
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305|ECDHE-RSA-AES128-GCM-SHA256|"
    "ECDHE-RSA-CHACHA20-POLY1305]:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

// Of the peer's signatures and of ours: by itself BoringSSL would sign with SHA-1 for a client of TLS 1.2
// that knows nothing better.
constexpr std::array<std::uint16_t, 10> signature_algorithms = {SSL_SIGN_ED25519,
                                                                SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                                                SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                                                SSL_SIGN_RSA_PKCS1_SHA256,
                                                                SSL_SIGN_ECDSA_SECP384R1_SHA384,
                                                                SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                                                SSL_SIGN_RSA_PKCS1_SHA384,
                                                                SSL_SIGN_RSA_PSS_RSAE_SHA512,
                                                                SSL_SIGN_RSA_PKCS1_SHA512,
                                                                SSL_SIGN_ECDSA_SECP521R1_SHA512};

// What a text is called in a sentence.
std::string place(const std::string& file, const char* what) {
  return file.empty() ? std::string("the given ") + what : file;
}

std::error_code complain(std::string& problem, std::string text) {
  ERR_clear_error();
  problem = std::move(text);
  return errc::tls_config_invalid;
}

std::error_code read_file(const std::string& file, std::string& text, std::string& problem) {
  const Socket descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));  // any descriptor, closed at the end
  if (!descriptor.valid()) {
    const std::error_code error(errno, std::system_category());
    problem = file + " can not be read: " + error.message();
    return error;
  }
  std::array<char, 16384> part;
  for (;;) {
    const ssize_t size = ::read(descriptor.fd(), part.data(), part.size());
    if (size == 0) return {};
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const std::error_code error(errno, std::system_category());
      problem = file + " can not be read: " + error.message();
      return error;
    }
    text.append(part.data(), static_cast<std::size_t>(size));
    if (text.size() > file_size_max) return complain(problem, file + " is too large to hold certificates");
  }
}

// The text that is given, or that of the file.
std::error_code text_of(const std::string& file, const std::string& pem, std::string& text,
                        std::string& problem) {
  text = pem;
  return file.empty() ? std::error_code{} : read_file(file, text, problem);
}

boringssl::Bio view_of(const std::string& text) noexcept {
  return boringssl::Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

boringssl::Certificate next_certificate(BIO* bio) noexcept {
  return boringssl::Certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

// Why there is no further certificate: an error that is not the end of the text.
bool broken_pem() noexcept {
  const std::uint32_t error = ERR_peek_last_error();
  return error != 0 && !(ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
}

int no_password(char*, int, int, void*) { return -1; }

std::error_code use_chain(SSL_CTX* context, const TlsCertificate& certificate,
                          std::vector<std::string>& names, std::string& problem) {
  const std::string where = place(certificate.chain_file, "certificate chain");
  std::string text;
  if (auto error = text_of(certificate.chain_file, certificate.chain_pem, text, problem)) return error;
  if (text.empty()) return complain(problem, "there is no certificate: give a file or PEM text");
  const boringssl::Bio bio = view_of(text);
  const boringssl::Certificate own = next_certificate(bio.get());
  if (own == nullptr) return complain(problem, where + " does not begin with a PEM certificate");
  if (SSL_CTX_use_certificate(context, own.get()) != 1) {
    return complain(problem, where + " has a certificate whose key can not be used for TLS");
  }
  names = dns_names(*own);
  SSL_CTX_clear_chain_certs(context);
  while (const boringssl::Certificate next = next_certificate(bio.get())) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return complain(problem, "no memory for " + where);
  }
  if (broken_pem()) return complain(problem, where + " has a broken certificate behind the first one");
  ERR_clear_error();
  return {};
}

std::error_code use_key(SSL_CTX* context, const TlsCertificate& certificate, std::string& problem) {
  const std::string where = place(certificate.key_file, "key");
  std::string text;
  if (auto error = text_of(certificate.key_file, certificate.key_pem, text, problem)) return error;
  if (text.empty()) {
    return complain(problem, "there is no key for " + place(certificate.chain_file, "certificate chain"));
  }
  const boringssl::Bio bio = view_of(text);
  const boringssl::Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  const bool encrypted = text.find("ENCRYPTED") != std::string::npos;
  OPENSSL_cleanse(text.data(), text.size());
  if (key == nullptr) {
    return complain(problem, where + (encrypted ? " is encrypted: give it without a password"
                                                : " does not hold a PEM private key"));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return complain(problem, where + " does not belong to the certificate in " +
                                 place(certificate.chain_file, "certificate chain"));
  }
  return {};
}

bool has_entries(const char* directory) noexcept {
  DIR* const open = ::opendir(directory);
  if (open == nullptr) return false;
  std::size_t entries = 0;
  while (entries <= 2 && ::readdir(open) != nullptr) ++entries;  // "." and ".."
  ::closedir(open);
  return entries > 2;
}

int key_log_index() noexcept {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* log, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Socket*>(log); });
  return index;
}

// One write a line, so that lines of several threads do not mix.
void log_key(const SSL* ssl, const char* line) {
  const auto* const log =
      static_cast<const Socket*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), key_log_index()));
  if (log == nullptr) return;
  const std::string text = std::string(line) + '\n';
  [[maybe_unused]] const ssize_t written = ::write(log->fd(), text.data(), text.size());
}

}  // namespace

boringssl::Context make_context(TlsVersion version_min) noexcept {
  boringssl::Context context(SSL_CTX_new(TLS_method()));
  if (context == nullptr) return nullptr;
  SSL_CTX* const made = context.get();
  const std::uint16_t least = version_min == TlsVersion::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  const bool well = SSL_CTX_set_min_proto_version(made, least) == 1 &&
                    SSL_CTX_set_max_proto_version(made, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_strict_cipher_list(made, cipher_suites) == 1 &&
                    SSL_CTX_set_verify_algorithm_prefs(made, signature_algorithms.data(),
                                                       signature_algorithms.size()) == 1 &&
                    SSL_CTX_set_signing_algorithm_prefs(made, signature_algorithms.data(),
                                                        signature_algorithms.size()) == 1;
  SSL_CTX_set_early_data_enabled(made, 0);
  return well ? std::move(context) : nullptr;
}

std::error_code use_certificate(SSL_CTX* context, const TlsCertificate& certificate,
                                std::vector<std::string>& names, std::string& problem) {
  if (auto error = use_chain(context, certificate, names, problem)) return error;
  if (auto error = use_key(context, certificate, problem)) return error;
  if (certificate.ocsp_file.empty()) return {};
  std::string answer;
  if (auto error = read_file(certificate.ocsp_file, answer, problem)) return error;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(answer.data());
  if (answer.empty() || SSL_CTX_set_ocsp_response(context, bytes, answer.size()) != 1) {
    return complain(problem, certificate.ocsp_file + " does not hold an OCSP answer");
  }
  return {};
}

std::error_code use_roots(SSL_CTX* context, const std::string& file, const std::string& pem,
                          std::string& problem) {
  const std::string where = place(file, "roots");
  std::string text;
  if (auto error = text_of(file, pem, text, problem)) return error;
  const boringssl::Bio bio = view_of(text);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  bool any = false;
  while (const boringssl::Certificate root = next_certificate(bio.get())) {
    if (X509_STORE_add_cert(store, root.get()) != 1) return complain(problem, "no memory for " + where);
    if (SSL_CTX_add_client_CA(context, root.get()) != 1) return complain(problem, "no memory for " + where);
    any = true;
  }
  if (broken_pem()) return complain(problem, where + " has a broken certificate");
  ERR_clear_error();
  return any ? std::error_code{} : complain(problem, where + " has no PEM certificate");
}

std::error_code use_system_roots(SSL_CTX* context, std::string& problem) {
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const char* const file = std::getenv("SSL_CERT_FILE");
  const char* const directory = std::getenv("SSL_CERT_DIR");
  if (file != nullptr && *file != '\0') {
    if (X509_STORE_load_locations(store, file, nullptr) == 1) return {};
    return complain(problem, std::string(file) + ", which SSL_CERT_FILE names, has no certificates");
  }
  // Looked up there by name when one is needed: all of them take megabytes and milliseconds.
  const char* const hashed = directory != nullptr && *directory != '\0' ? directory : "/etc/ssl/certs";
  if (has_entries(hashed) && X509_STORE_load_locations(store, nullptr, hashed) == 1) {
    // Some distributions have a file there, and no links by name.
    for (const char* bundle : {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"}) {
      if (::access(bundle, R_OK) == 0) X509_STORE_load_locations(store, bundle, nullptr);
    }
    ERR_clear_error();
    return {};
  }
  ERR_clear_error();
  problem = describe(errc::tls_roots_missing);
  return errc::tls_roots_missing;
}

std::error_code encode_protocols(const std::vector<std::string>& protocols, std::string& encoded,
                                 std::string& problem) {
  encoded.clear();
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > protocol_size_max) {
      return complain(problem, "the name of an application protocol has 1 to 255 bytes: '" + protocol + "'");
    }
    encoded += static_cast<char>(static_cast<unsigned char>(protocol.size()));
    encoded += protocol;
  }
  if (encoded.size() > std::numeric_limits<std::uint16_t>::max()) {
    return complain(problem, "there are too many application protocols");
  }
  return {};
}

std::error_code log_keys(SSL_CTX* context, const std::string& file, std::string& problem) {
  if (file.empty()) return {};
  auto log =
      std::make_unique<Socket>(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, owner_only));
  if (!log->valid()) {
    const std::error_code error(errno, std::system_category());
    problem = file + " can not be written: " + error.message();
    return error;
  }
  if (SSL_CTX_set_ex_data(context, key_log_index(), log.get()) != 1) {
    return complain(problem, "no memory for the key log");
  }
  log.release();  // the context's now
  SSL_CTX_set_keylog_callback(context, log_key);
  return {};
}

}  // namespace sansock
