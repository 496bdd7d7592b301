// A certificate for one host, its own root, with its key: files for the time of a test.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "wire/tls_channel.h"

namespace conform {

class TlsFiles {
 public:
  // `names` as certificates have them: "DNS:localhost,IP:127.0.0.1".
  explicit TlsFiles(const std::string& names) {
    char pattern[] = "/tmp/conform_tls_XXXXXX";
    if (mkdtemp(pattern) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(made.get());
    const unsigned char name[] = "test";
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(made.get(), key.get(), EVP_sha256());
    write(certificate(), [&](std::FILE* file) { return PEM_write_X509(file, made.get()); });
    write(this->key(), [&](std::FILE* file) {
      return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  ~TlsFiles() { std::filesystem::remove_all(directory_); }
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  std::string certificate() const { return directory_ + "/certificate.pem"; }
  std::string key() const { return directory_ + "/key.pem"; }
  const std::string& directory() const { return directory_; }

  std::unique_ptr<TlsChannel> server() const {
    std::string problem;
    const auto context = tls_server(certificate(), key(), problem);
    if (!context) throw std::runtime_error(problem);
    return context->channel();
  }

 private:
  template <class Writer>
  void write(const std::string& path, const Writer& writer) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    const bool written = file != nullptr && writer(file) == 1;
    if (file != nullptr) std::fclose(file);
    if (!written) throw std::runtime_error("can not write " + path);
  }

  std::string directory_;
};

inline std::unique_ptr<TlsChannel> client_channel(const TlsTrust& trust) {
  std::string problem;
  const auto context = tls_client(trust, problem);
  if (!context) throw std::runtime_error(problem);
  return context->channel();
}

// What `from` has to say goes to `to`, `size` octets at a time.
inline void carry(TlsChannel& from, TlsChannel& to, std::size_t size = 65536) {
  while (!from.output().empty()) {
    const std::string octets(from.output().substr(0, size));
    from.consume(octets.size());
    to.feed(octets);
  }
}

}  // namespace conform
