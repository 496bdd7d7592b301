#include "peer_certificate.h"

#include <arpa/inet.h>
#include <openssl/base64.h>
#include <openssl/bn.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

#include <array>

#include "boringssl.h"

namespace sansock {
namespace {

constexpr std::size_t ipv4_size = 4;
constexpr std::size_t ipv6_size = 16;

std::string text_of(const X509_NAME* name) {
  const boringssl::Bio memory(BIO_new(BIO_s_mem()));
  // As UTF-8, without the escapes that RFC 2253 allows for it.
  constexpr unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  const std::uint8_t* text = nullptr;
  std::size_t size = 0;
  if (memory == nullptr || X509_NAME_print_ex(memory.get(), name, 0, flags) < 0 ||
      BIO_mem_contents(memory.get(), &text, &size) != 1) {
    return {};
  }
  return {text, text + size};
}

std::string text_of(const ASN1_STRING* string) {
  const std::uint8_t* const data = ASN1_STRING_get0_data(string);
  return {data, data + ASN1_STRING_length(string)};
}

std::string address_of(const ASN1_STRING* octets) {
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(octets));
  if (size != ipv4_size && size != ipv6_size) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(size == ipv4_size ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text.data(), text.size());
  return text.data();
}

template <class Take>
void for_each_name(const X509& certificate, Take&& take) {
  const boringssl::Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  const std::size_t count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (std::size_t i = 0; i < count; ++i) take(*sk_GENERAL_NAME_value(names.get(), i));
}

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string serial_of(const X509& certificate) {
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  char* const text = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string serial = text == nullptr ? std::string() : std::string(text);
  OPENSSL_free(text);
  BN_free(number);
  return serial;
}

}  // namespace

TlsPeerCertificate describe_certificate(const X509& certificate) {
  TlsPeerCertificate described;
  described.subject = text_of(X509_get_subject_name(&certificate));
  described.issuer = text_of(X509_get_issuer_name(&certificate));
  described.serial = serial_of(certificate);
  for_each_name(certificate, [&described](const GENERAL_NAME& name) {
    switch (name.type) {
      case GEN_DNS:
      case GEN_EMAIL:
      case GEN_URI: described.names.push_back(text_of(name.d.ia5)); break;
      case GEN_IPADD: described.names.push_back(address_of(name.d.iPAddress)); break;
      default: break;
    }
  });
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) == 1) {
    described.fingerprint_sha256 = hexadecimal(digest);
  }
  return described;
}

std::vector<std::string> dns_names(const X509& certificate) {
  std::vector<std::string> names;
  for_each_name(certificate, [&names](const GENERAL_NAME& name) {
    if (name.type != GEN_DNS) return;
    std::string text = text_of(name.d.dNSName);
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    names.push_back(std::move(text));
  });
  return names;
}

std::string public_key_pin(const X509& certificate) {
  std::uint8_t* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoded);
  if (size <= 0) return {};
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(encoded, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(encoded);
  std::array<std::uint8_t, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
  const std::size_t text_size = EVP_EncodeBlock(text.data(), digest.data(), digest.size());
  return {text.data(), text.data() + text_size};
}

}  // namespace sansock
