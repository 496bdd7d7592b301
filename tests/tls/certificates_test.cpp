// That the certificates of tests/support are what they say, by BoringSSL's own verification.
#include "certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <string>
#include <string_view>

namespace sansock::test {
namespace {

bssl::UniquePtr<BIO> reader(std::string_view text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bssl::UniquePtr<STACK_OF(X509)> read_all(std::string_view pem) {
  bssl::UniquePtr<STACK_OF(X509)> certificates(sk_X509_new_null());
  const auto memory = reader(pem);
  while (X509* const certificate = PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)) {
    sk_X509_push(certificates.get(), certificate);
  }
  return certificates;
}

struct Question {
  const char* host = nullptr;
  const char* address = nullptr;
  int purpose = X509_PURPOSE_SSL_SERVER;
};

// X509_V_OK, or what is wrong.
int verify(const std::string& chain_pem, const std::string& roots_pem, Question question = {}) {
  const auto chain = read_all(chain_pem);
  const auto roots = read_all(roots_pem);
  const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  for (std::size_t i = 0; i < sk_X509_num(roots.get()); ++i) {
    X509_STORE_add_cert(store.get(), sk_X509_value(roots.get(), i));
  }
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), sk_X509_value(chain.get(), 0), chain.get());
  X509_STORE_CTX_set_purpose(context.get(), question.purpose);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  if (question.host) X509_VERIFY_PARAM_set1_host(parameters, question.host, std::strlen(question.host));
  if (question.address) X509_VERIFY_PARAM_set1_ip_asc(parameters, question.address);
  const bool good = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  EXPECT_EQ(good, error == X509_V_OK);
  return error;
}

bool key_fits(const IssuedCertificate& issued) {
  const auto memory = reader(issued.key_pem);
  const bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  const auto chain = read_all(issued.chain_pem);
  return key && X509_check_private_key(sk_X509_value(chain.get(), 0), key.get()) == 1;
}

CertificateSpec local() {
  return {.dns_names = {"localhost", "*.example.test"}, .ip_addresses = {"127.0.0.1", "::1"}};
}

TEST(Certificates, AreForTheirNamesAndAddresses) {
  const CertificateAuthority authority("root");
  const std::string chain = authority.issue(local()).chain_pem;
  const std::string& roots = authority.roots_pem();
  EXPECT_EQ(verify(chain, roots), X509_V_OK);
  EXPECT_EQ(verify(chain, roots, {.host = "localhost"}), X509_V_OK);
  EXPECT_EQ(verify(chain, roots, {.host = "a.example.test"}), X509_V_OK);
  EXPECT_EQ(verify(chain, roots, {.host = "b.a.example.test"}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(chain, roots, {.host = "other.test"}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(chain, roots, {.address = "127.0.0.1"}), X509_V_OK);
  EXPECT_EQ(verify(chain, roots, {.address = "::1"}), X509_V_OK);
  EXPECT_EQ(verify(chain, roots, {.address = "127.0.0.2"}), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST(Certificates, OfEachKindOfKey) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa_2048, KeyKind::ed25519}) {
    SCOPED_TRACE(static_cast<int>(kind));
    const CertificateAuthority authority("root", kind);
    CertificateSpec spec = local();
    spec.key = kind;
    const IssuedCertificate issued = authority.issue(spec);
    EXPECT_EQ(verify(issued.chain_pem, authority.roots_pem(), {.host = "localhost"}), X509_V_OK);
    EXPECT_TRUE(key_fits(issued));
  }
}

TEST(Certificates, AreValidWhenTheySay) {
  const CertificateAuthority authority("root");
  CertificateSpec spec = local();
  spec.validity = validity_expired;
  EXPECT_EQ(verify(authority.issue(spec).chain_pem, authority.roots_pem()), X509_V_ERR_CERT_HAS_EXPIRED);
  spec.validity = validity_future;
  EXPECT_EQ(verify(authority.issue(spec).chain_pem, authority.roots_pem()), X509_V_ERR_CERT_NOT_YET_VALID);
  const CertificateAuthority past = authority.intermediate("past", KeyKind::p256, validity_expired);
  EXPECT_EQ(verify(past.issue(local()).chain_pem, authority.roots_pem()), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificates, AreForTheirPurpose) {
  const CertificateAuthority authority("root");
  const Question server{};
  const Question client{.purpose = X509_PURPOSE_SSL_CLIENT};
  const auto verify_as = [&](CertificatePurpose purpose, Question question) {
    return verify(authority.issue({.purpose = purpose}).chain_pem, authority.roots_pem(), question);
  };
  EXPECT_EQ(verify_as(CertificatePurpose::server, server), X509_V_OK);
  EXPECT_EQ(verify_as(CertificatePurpose::server, client), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verify_as(CertificatePurpose::client, client), X509_V_OK);
  EXPECT_EQ(verify_as(CertificatePurpose::client, server), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verify_as(CertificatePurpose::server_and_client, server), X509_V_OK);
  EXPECT_EQ(verify_as(CertificatePurpose::server_and_client, client), X509_V_OK);
}

TEST(Certificates, OfIntermediateAuthoritiesHaveThemInTheirChain) {
  const CertificateAuthority root("root");
  const CertificateAuthority lower = root.intermediate("middle").intermediate("lower");
  const IssuedCertificate issued = lower.issue(local());
  EXPECT_EQ(sk_X509_num(read_all(issued.chain_pem).get()), 3u);
  EXPECT_EQ(lower.roots_pem(), root.roots_pem());
  EXPECT_EQ(root.chain_pem(), "");
  EXPECT_EQ(issued.chain_pem.substr(issued.chain_pem.size() - lower.chain_pem().size()), lower.chain_pem());
  EXPECT_EQ(verify(issued.chain_pem, root.roots_pem()), X509_V_OK);
  const std::string alone = issued.chain_pem.substr(0, issued.chain_pem.size() - lower.chain_pem().size());
  EXPECT_EQ(verify(alone, root.roots_pem()), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST(Certificates, OfOthersAreNotTrusted) {
  const CertificateAuthority authority("root");
  const CertificateAuthority namesake("root");
  EXPECT_NE(verify(namesake.issue(local()).chain_pem, authority.roots_pem()), X509_V_OK);
  const IssuedCertificate alone = make_self_signed(local());
  EXPECT_EQ(verify(alone.chain_pem, authority.roots_pem()), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  EXPECT_EQ(verify(alone.chain_pem, alone.chain_pem), X509_V_OK);
  EXPECT_TRUE(key_fits(alone));
}

TEST(Certificates, HaveTheirSubjectAndOtherNames) {
  const CertificateAuthority authority("root");
  const IssuedCertificate issued =
      authority.issue({.common_name = "client",
                       .organization = "Example",
                       .other_names = {"URI:spiffe://example.test/a", "email:a@b.test"},
                       .purpose = CertificatePurpose::client});
  const auto chain = read_all(issued.chain_pem);
  const bssl::UniquePtr<BIO> memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), X509_get_subject_name(sk_X509_value(chain.get(), 0)), 0, XN_FLAG_RFC2253);
  const std::uint8_t* text = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(BIO_mem_contents(memory.get(), &text, &size), 1);
  EXPECT_EQ(std::string(text, text + size), "CN=client,O=Example");
  EXPECT_EQ(X509_check_email(sk_X509_value(chain.get(), 0), "a@b.test", 8, 0), 1);
}

// The pin of a known certificate, made with `openssl x509 -pubkey | openssl pkey -pubin -outform der |
// openssl dgst -sha256 -binary | base64`.
TEST(Certificates, HaveThePinsThatOpensslComputes) {
  const std::string certificate =
      "-----BEGIN CERTIFICATE-----\n"
      "MIHEMHgCAQEwBQYDK2VwMA4xDDAKBgNVBAMMA3BpbjAgFw0yNjExMjIwMDEwMzJa\n"
      "GA8yMTI2MTAyOTAwMTAzMlowDjEMMAoGA1UEAwwDcGluMCowBQYDK2VwAyEA+MNy\n"
      "4NuTBLq2jtMBOmvQou45hXW3eVKU/JRi4PzNfacwBQYDK2VwA0EA299ASWTGqFUx\n"
      "RXgcuNdJrB9o1dzwEzvndu8faZwxHpIrTZLwu2vlWnR55aWv28VRH25MzzMtJEw0\n"
      "5/gfWpcqCA==\n"
      "-----END CERTIFICATE-----\n";
  EXPECT_EQ(public_key_pin(certificate), "sha256/T1w1alnaFSs9DWD5mEI8nGSuz0tzApOg5k8vb3mLVyk=");
  const CertificateAuthority authority("root");
  const std::string first = public_key_pin(authority.issue(local()).chain_pem);
  EXPECT_NE(first, public_key_pin(authority.issue(local()).chain_pem));
  EXPECT_EQ(first.size(), std::string("sha256/").size() + 44);
}

}  // namespace
}  // namespace sansock::test
