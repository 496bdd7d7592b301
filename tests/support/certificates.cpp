#include "certificates.h"

#include <openssl/base64.h>
#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace sansock::test {
namespace {

using Certificate = bssl::UniquePtr<X509>;
using Key = bssl::UniquePtr<EVP_PKEY>;

[[noreturn]] void fail(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw std::runtime_error(std::string("certificates: ") + what + ": " + text.data());
}

void check(bool good, const char* what) {
  if (!good) fail(what);
}

struct KeyParameters {
  int type;
  int curve;
  int bits;
};

KeyParameters parameters_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::p256: return {EVP_PKEY_EC, NID_X9_62_prime256v1, 0};
    case KeyKind::p384: return {EVP_PKEY_EC, NID_secp384r1, 0};
    case KeyKind::rsa_2048: return {EVP_PKEY_RSA, 0, 2048};
    case KeyKind::ed25519: return {EVP_PKEY_ED25519, 0, 0};
  }
  throw std::runtime_error("certificates: no such kind of key");
}

Key make_key(KeyKind kind) {
  const KeyParameters parameters = parameters_of(kind);
  const bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(parameters.type, nullptr));
  check(context && EVP_PKEY_keygen_init(context.get()) == 1, "key");
  if (parameters.curve != 0) {
    check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), parameters.curve) == 1, "curve");
  }
  if (parameters.bits != 0) {
    check(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), parameters.bits) == 1, "key size");
  }
  EVP_PKEY* key = nullptr;
  check(EVP_PKEY_keygen(context.get(), &key) == 1, "key");
  return Key(key);
}

std::string text_of(BIO* memory) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  check(BIO_mem_contents(memory, &bytes, &size) == 1, "text");
  return {bytes, bytes + size};
}

std::string pem_of(X509* certificate) {
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  check(memory && PEM_write_bio_X509(memory.get(), certificate) == 1, "PEM of a certificate");
  return text_of(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  check(
      memory && PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "PEM of a key");
  return text_of(memory.get());
}

void set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> bytes{};
  RAND_bytes(bytes.data(), bytes.size());
  bytes[0] = 0x40;  // positive, and always of the same size
  const bssl::UniquePtr<BIGNUM> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  check(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "serial");
}

void set_subject(X509* certificate, const std::string& organization, const std::string& common_name) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const std::string& text) {
    if (text.empty()) return;
    check(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                     reinterpret_cast<const std::uint8_t*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1,
          "subject");
  };
  add("O", organization);
  add("CN", common_name);
}

// Without a serial's, a subject's and a key's, what all certificates have.
Certificate make_certificate(EVP_PKEY* key, const std::string& organization, const std::string& common_name,
                             Validity validity) {
  Certificate certificate(X509_new());
  check(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
            X509_set_pubkey(certificate.get(), key) == 1 &&
            X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validity.not_before_s) != nullptr &&
            X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity.not_after_s) != nullptr,
        "certificate");
  set_serial(certificate.get());
  set_subject(certificate.get(), organization, common_name);
  return certificate;
}

// `issuer` may be the certificate itself.
void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  check(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "issuer");
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  const bool digests_itself = EVP_PKEY_id(issuer_key) == EVP_PKEY_ED25519;
  check(X509_sign(certificate, issuer_key, digests_itself ? nullptr : EVP_sha256()) > 0, "signature");
}

std::string alternative_names(const CertificateSpec& spec) {
  std::string text;
  const auto add = [&text](const char* kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) text += (text.empty() ? "" : ",") + std::string(kind) + name;
  };
  add("DNS:", spec.dns_names);
  add("IP:", spec.ip_addresses);
  add("", spec.other_names);
  return text;
}

const char* extended_usage(CertificatePurpose purpose) {
  switch (purpose) {
    case CertificatePurpose::server: return "serverAuth";
    case CertificatePurpose::client: return "clientAuth";
    case CertificatePurpose::server_and_client: return "serverAuth,clientAuth";
  }
  throw std::runtime_error("certificates: no such purpose");
}

void add_usage(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
  // For the key exchange of RSA too, so that only the cipher suites decide whether it is had.
  add_extension(certificate, issuer, NID_key_usage,
                spec.key == KeyKind::rsa_2048 ? "critical,digitalSignature,keyEncipherment"
                                              : "critical,digitalSignature");
}

// Signed by its own key if there is no issuer.
IssuedCertificate issue_by(const CertificateSpec& spec, X509* issuer, EVP_PKEY* issuer_key,
                           const std::string& chain_pem) {
  const Key key = make_key(spec.key);
  const Certificate certificate =
      make_certificate(key.get(), spec.organization, spec.common_name, spec.validity);
  if (issuer) {
    add_usage(certificate.get(), issuer, spec);
  } else {
    // As `openssl req -x509` makes them. With a usage that is not for signing certificates it would not
    // count as self-signed.
    issuer = certificate.get();
    issuer_key = key.get();
    add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:TRUE");
  }
  add_extension(certificate.get(), issuer, NID_ext_key_usage, extended_usage(spec.purpose));
  const std::string names = alternative_names(spec);
  if (!names.empty()) add_extension(certificate.get(), issuer, NID_subject_alt_name, names);
  sign(certificate.get(), issuer, issuer_key);
  return {pem_of(certificate.get()) + chain_pem, pem_of(key.get())};
}

Certificate read_certificate(std::string_view pem) {
  const bssl::UniquePtr<BIO> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
  check(certificate != nullptr, "reading a certificate");
  return certificate;
}

}  // namespace

struct CertificateAuthority::Impl {
  Key key;
  Certificate certificate;
  std::string roots_pem;
  std::string chain_pem;

  // A root if there is no issuer.
  Impl(std::string_view name, KeyKind kind, Validity validity, const Impl* issuer)
      : key(make_key(kind)), certificate(make_certificate(key.get(), "", std::string(name), validity)) {
    X509* const issuer_certificate = issuer ? issuer->certificate.get() : certificate.get();
    add_extension(certificate.get(), issuer_certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate.get(), issuer_certificate, NID_key_usage,
                  "critical,digitalSignature,keyCertSign,cRLSign");
    sign(certificate.get(), issuer_certificate, issuer ? issuer->key.get() : key.get());
    const std::string own_pem = pem_of(certificate.get());
    roots_pem = issuer ? issuer->roots_pem : own_pem;
    chain_pem = issuer ? own_pem + issuer->chain_pem : "";
  }
};

CertificateAuthority::CertificateAuthority(std::string_view name, KeyKind key, Validity validity)
    : impl_(std::make_shared<Impl>(name, key, validity, nullptr)) {}

CertificateAuthority CertificateAuthority::intermediate(std::string_view name, KeyKind key,
                                                        Validity validity) const {
  return CertificateAuthority(std::make_shared<const Impl>(name, key, validity, impl_.get()));
}

IssuedCertificate CertificateAuthority::issue(const CertificateSpec& spec) const {
  return issue_by(spec, impl_->certificate.get(), impl_->key.get(), impl_->chain_pem);
}

const std::string& CertificateAuthority::roots_pem() const noexcept { return impl_->roots_pem; }
const std::string& CertificateAuthority::chain_pem() const noexcept { return impl_->chain_pem; }
std::string CertificateAuthority::certificate_pem() const { return pem_of(impl_->certificate.get()); }
std::string CertificateAuthority::key_pem() const { return pem_of(impl_->key.get()); }

IssuedCertificate make_self_signed(const CertificateSpec& spec) {
  return issue_by(spec, nullptr, nullptr, "");
}

std::string public_key_pin(std::string_view certificate_pem) {
  const Certificate certificate = read_certificate(certificate_pem);
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  check(size > 0, "public key");
  const bssl::UniquePtr<std::uint8_t> owner(der);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH * 2> text{};
  const std::size_t length = EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  return "sha256/" + std::string(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
}

}  // namespace sansock::test
