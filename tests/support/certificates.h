// Certificates for tests of TLS, made while the test runs: no file of the repository can expire.
//
//   const CertificateAuthority authority("test root");
//   const IssuedCertificate server = authority.issue({.dns_names = {"localhost"}, .ip_addresses =
//   {"127.0.0.1"}}); tls.load({.certificates = {{.chain_pem = server.chain_pem, .key_pem =
//   server.key_pem}}});
//
// What can not be made throws std::runtime_error with BoringSSL's own words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sansock::test {

enum class KeyKind : std::uint8_t { p256, p384, rsa_2048, ed25519 };
enum class CertificatePurpose : std::uint8_t { server, client, server_and_client };

// Of what is issued: times in seconds from now.
struct Validity {
  std::int64_t not_before_s = -3600;
  std::int64_t not_after_s = 7 * 86400;
};
inline constexpr Validity validity_expired{-7 * 86400, -3600};
inline constexpr Validity validity_future{86400, 7 * 86400};

struct CertificateSpec {
  std::string common_name = "test";
  std::string organization = {};            // of the subject; empty: none
  std::vector<std::string> dns_names = {};  // "*.example.test" is a wildcard
  std::vector<std::string> ip_addresses = {};
  std::vector<std::string> other_names = {};  // as OpenSSL writes them: "URI:spiffe://a", "email:a@b.test"
  Validity validity = {};
  KeyKind key = KeyKind::p256;
  CertificatePurpose purpose = CertificatePurpose::server;
};

struct IssuedCertificate {
  std::string chain_pem;  // its own certificate, then those of the intermediate authorities; not the root's
  std::string key_pem;    // PKCS #8
};

// Copies are the same authority, with the same key.
class CertificateAuthority {
 public:
  // A root.
  explicit CertificateAuthority(std::string_view name, KeyKind key = KeyKind::p256, Validity validity = {});

  // An authority below this one: what it issues has this one's certificate in its chain too.
  CertificateAuthority intermediate(std::string_view name, KeyKind key = KeyKind::p256,
                                    Validity validity = {}) const;

  IssuedCertificate issue(const CertificateSpec& spec) const;

  // The root at the top, which peers have to trust.
  const std::string& roots_pem() const noexcept;
  // The own certificate, and for an intermediate those above it, without the root. Empty for a root.
  const std::string& chain_pem() const noexcept;
  // The own certificate alone, and its key: for what signs in the authority's name.
  std::string certificate_pem() const;
  std::string key_pem() const;

 private:
  struct Impl;
  explicit CertificateAuthority(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// Signed by its own key.
IssuedCertificate make_self_signed(const CertificateSpec& spec);

// "sha256/" and the base64 of the SHA-256 of the SubjectPublicKeyInfo of the first certificate in the text:
// as TlsClientOptions::pins has it.
std::string public_key_pin(std::string_view certificate_pem);

}  // namespace sansock::test
