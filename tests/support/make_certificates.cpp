// make_certificates DIRECTORY: writes the certificates that the tests in Python and JavaScript use, into a
// directory that exists. NAME.pem is a chain, NAME.key its key, NAME.pin the pin of its key.
//
//   ca, client_ca, other_ca   authorities for servers, for clients, and one that nobody has named
//   server                    localhost, *.example.test, 127.0.0.1, ::1
//   second                    other.test
//   rsa, ed25519              as `server`, of another kind of key
//   chain                     as `server`, below two intermediate authorities
//   chain_without             the same without them
//   expired, future           as `server`, not valid any more, not valid yet
//   wrong_host                elsewhere.test
//   wrong_purpose             as `server`, but for clients
//   self_signed               as `server`
//   untrusted                 as `server`, by `other_ca`
//   client, client_expired    by `client_ca`
//   client_untrusted          by `other_ca`
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "certificates.h"

namespace {

using namespace sansock::test;

class Directory {
 public:
  explicit Directory(std::filesystem::path path) : path_(std::move(path)) {}

  void put(const std::string& name, const IssuedCertificate& certificate) const {
    write(name + ".pem", certificate.chain_pem);
    write(name + ".key", certificate.key_pem);
    write(name + ".pin", public_key_pin(certificate.chain_pem));
  }
  void put(const std::string& name, const CertificateAuthority& authority) const {
    put(name, {authority.certificate_pem(), authority.key_pem()});
  }

 private:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream file(path_ / name);
    file << text << std::flush;
    if (!file) throw std::runtime_error("can not write " + (path_ / name).string());
  }

  std::filesystem::path path_;
};

CertificateSpec local() {
  return {.common_name = "localhost",
          .dns_names = {"localhost", "*.example.test"},
          .ip_addresses = {"127.0.0.1", "::1"}};
}

CertificateSpec local(Validity validity) {
  CertificateSpec spec = local();
  spec.validity = validity;
  return spec;
}

CertificateSpec local(KeyKind key) {
  CertificateSpec spec = local();
  spec.key = key;
  return spec;
}

CertificateSpec client(const std::string& name, Validity validity = {}) {
  return {.common_name = name,
          .organization = "Example",
          .validity = validity,
          .purpose = CertificatePurpose::client};
}

void put_servers(const Directory& directory, const CertificateAuthority& authority,
                 const CertificateAuthority& other_authority) {
  directory.put("server", authority.issue(local()));
  directory.put("second", authority.issue({.common_name = "other.test", .dns_names = {"other.test"}}));
  directory.put("rsa", authority.issue(local(KeyKind::rsa_2048)));
  directory.put("ed25519", authority.issue(local(KeyKind::ed25519)));
  const IssuedCertificate chain =
      authority.intermediate("test middle").intermediate("test lower").issue(local());
  directory.put("chain", chain);
  const std::string last_line = "-----END CERTIFICATE-----\n";
  directory.put(
      "chain_without",
      {chain.chain_pem.substr(0, chain.chain_pem.find(last_line) + last_line.size()), chain.key_pem});
  directory.put("expired", authority.issue(local(validity_expired)));
  directory.put("future", authority.issue(local(validity_future)));
  directory.put("wrong_host", authority.issue({.common_name = "localhost", .dns_names = {"elsewhere.test"}}));
  CertificateSpec wrong_purpose = local();
  wrong_purpose.purpose = CertificatePurpose::client;
  directory.put("wrong_purpose", authority.issue(wrong_purpose));
  directory.put("self_signed", make_self_signed(local()));
  directory.put("untrusted", other_authority.issue(local()));
}

void put_all(const Directory& directory) {
  const CertificateAuthority authority("test root");
  const CertificateAuthority client_authority("test root of clients");
  const CertificateAuthority other_authority("root of nobody");
  directory.put("ca", authority);
  directory.put("client_ca", client_authority);
  directory.put("other_ca", other_authority);
  put_servers(directory, authority, other_authority);
  directory.put("client", client_authority.issue(client("test client")));
  directory.put("client_expired", client_authority.issue(client("expired client", validity_expired)));
  directory.put("client_untrusted", other_authority.issue(client("client of nobody")));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "use: make_certificates DIRECTORY\n");
    return 2;
  }
  try {
    put_all(Directory(argv[1]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_certificates: %s\n", error.what());
    return 1;
  }
  return 0;
}
