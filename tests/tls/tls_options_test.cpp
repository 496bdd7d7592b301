// What load() makes of certificates, keys, roots and pins that can not be used: an error, a sentence that
// names the file, and nothing has changed.
#include <openssl/pem.h>

#include "engine_side.h"
#include "temporary_directory.h"

namespace sansock::test {
namespace {

class TlsOptions_ : public ::testing::Test {
 protected:
  // The sentence.
  std::string complaint(const TlsServerOptions& options,
                        std::error_code expected = errc::tls_config_invalid) {
    TlsServer server;
    EXPECT_EQ(server.load(options), expected);
    testing::TestPool pool;
    EXPECT_EQ(server.make_engine(pool), nullptr);
    return server.problem();
  }
  std::string complaint(const TlsClientOptions& options,
                        std::error_code expected = errc::tls_config_invalid) {
    TlsClient client;
    EXPECT_EQ(client.load(options), expected);
    testing::TestPool pool;
    EXPECT_EQ(client.make_engine(pool, "localhost", 443), nullptr);
    return client.problem();
  }
  std::string complaint(const TlsCertificate& certificate,
                        std::error_code expected = errc::tls_config_invalid) {
    TlsServerOptions options;
    options.certificates = {certificate};
    const std::string said = complaint(options, expected);
    // A client's certificate is read in the same way.
    TlsClientOptions client = client_tls_options();
    client.certificate = certificate;
    EXPECT_EQ(complaint(client, expected), said);
    return said;
  }
  std::string complaint_of_pin(const std::string& pin) {
    TlsClientOptions options = client_tls_options();
    options.pins = {pin};
    return complaint(options);
  }

  static std::string encrypted(const std::string& key_pem) {
    const bssl::UniquePtr<BIO> in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
    const bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
    const bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    char password[] = "secret";
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), password, 6, nullptr, nullptr);
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    BIO_mem_contents(out.get(), &data, &size);
    return {data, data + size};
  }
  static std::error_code missing() { return {ENOENT, std::system_category()}; }

  TemporaryDirectory files_;
  std::string chain_ = files_.write("chain.pem", server_certificate().chain_pem);
  std::string key_ = files_.write("key.pem", server_certificate().key_pem);
};

TEST_F(TlsOptions_, FilesAndTextsAreUsedAlike) {
  for (const TlsCertificate& certificate :
       {TlsCertificate{.chain_file = chain_, .key_file = key_},
        TlsCertificate{.chain_file = chain_, .key_pem = server_certificate().key_pem},
        TlsCertificate{.chain_pem = server_certificate().chain_pem, .key_file = key_}}) {
    TlsServerOptions options;
    options.certificates = {certificate};
    const auto server_tls = make_tls_server(options);
    EXPECT_EQ(server_tls->problem(), "");
    TlsClientOptions trusting;
    trusting.roots_file = files_.write("roots.pem", authority().roots_pem());
    const auto client_tls = make_tls_client(trusting);
    EngineSide server(*server_tls);
    EngineSide client(*client_tls, "localhost");
    converse(client, server);
    EXPECT_TRUE(client.established() && server.established());
  }
}

TEST_F(TlsOptions_, MissingFilesAreNamed) {
  const std::string nowhere = files_.path("nowhere.pem");
  const std::string said = nowhere + " can not be read: No such file or directory";
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = nowhere, .key_file = key_}, missing()), said);
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = nowhere}, missing()), said);
  EXPECT_EQ(
      complaint(TlsCertificate{.chain_file = chain_, .key_file = key_, .ocsp_file = nowhere}, missing()),
      said);
  TlsClientOptions client;
  client.roots_file = nowhere;
  EXPECT_EQ(complaint(client, missing()), said);
  TlsServerOptions server = server_tls_options();
  server.client_certificates = TlsClientCertificates::request;
  server.client_roots_file = nowhere;
  EXPECT_EQ(complaint(server, missing()), said);
  server = server_tls_options();
  server.key_log_file = files_.path("no/such/directory");
  EXPECT_EQ(complaint(server, missing()),
            server.key_log_file + " can not be written: No such file or directory");
  client = client_tls_options();
  client.key_log_file = server.key_log_file;
  EXPECT_EQ(complaint(client, missing()),
            server.key_log_file + " can not be written: No such file or directory");
}

TEST_F(TlsOptions_, DirectoriesAreNoFiles) {
  const std::error_code directory{EISDIR, std::system_category()};
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = files_.path(), .key_file = key_}, directory),
            files_.path() + " can not be read: Is a directory");
}

TEST_F(TlsOptions_, WhatIsNoPemIsNamed) {
  const std::string junk = files_.write("junk.pem", "this is no PEM\n");
  const std::string empty = files_.write("empty.pem", "");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = junk, .key_file = key_}),
            junk + " does not begin with a PEM certificate");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = junk}),
            junk + " does not hold a PEM private key");
  EXPECT_NE(complaint(TlsCertificate{.chain_file = empty, .key_file = key_}), "");
  EXPECT_NE(complaint(TlsCertificate{.chain_file = chain_, .key_file = empty}), "");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = key_, .key_file = key_}),
            key_ + " does not begin with a PEM certificate");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = chain_}),
            chain_ + " does not hold a PEM private key");
  EXPECT_EQ(complaint(TlsCertificate{.chain_pem = "junk", .key_pem = "junk"}),
            "the given certificate chain does not begin with a PEM certificate");
  const std::string broken =
      files_.write("broken.pem", server_certificate().chain_pem + "-----BEGIN CERTIFICATE-----\njunk\n");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = broken, .key_file = key_}),
            broken + " has a broken certificate behind the first one");
  TlsClientOptions client;
  client.roots_file = junk;
  EXPECT_EQ(complaint(client), junk + " has no PEM certificate");
  client.roots_file = empty;
  EXPECT_EQ(complaint(client), empty + " has no PEM certificate");
  client.roots_file = broken;
  EXPECT_EQ(complaint(client), broken + " has a broken certificate");
}

TEST_F(TlsOptions_, NothingGivenIsAnError) {
  EXPECT_EQ(complaint(TlsServerOptions{}), "a server needs at least one certificate");
  EXPECT_EQ(complaint(TlsCertificate{}), "there is no certificate: give a file or PEM text");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_}), "there is no key for " + chain_);
}

TEST_F(TlsOptions_, KeysOfOthersAndEncryptedOnesAreNamed) {
  const IssuedCertificate other = authority().issue({.dns_names = {"localhost"}});
  const std::string key = files_.write("other.pem", other.key_pem);
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = key}),
            key + " does not belong to the certificate in " + chain_);
  const IssuedCertificate rsa = authority().issue({.dns_names = {"localhost"}, .key = KeyKind::rsa_2048});
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_pem = rsa.key_pem}),
            "the given key does not belong to the certificate in " + chain_);
  const std::string hidden = files_.write("hidden.pem", encrypted(server_certificate().key_pem));
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = hidden}),
            hidden + " is encrypted: give it without a password");
}

TEST_F(TlsOptions_, HugeFilesAreNotRead) {
  const std::string huge = files_.write("huge.pem", std::string(5u << 20, 'h'));
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = huge, .key_file = key_}),
            huge + " is too large to hold certificates");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = "/dev/zero", .key_file = key_}),
            "/dev/zero is too large to hold certificates");
}

TEST_F(TlsOptions_, PinsAreChecked) {
  const std::string right = public_key_pin(server_certificate().chain_pem);
  for (const std::string& pin :
       {std::string(), std::string("sha256/"), right.substr(7), right.substr(0, right.size() - 1),
        right + "=", "sha1" + right.substr(6), "sha256/" + std::string(43, '!') + "=",
        "sha256/" + std::string(43, ' ') + "=",
        "sha256/" + std::string(42, 'A') + "==", "sha256/" + std::string(44, 'A')}) {
    EXPECT_EQ(complaint_of_pin(pin), "'" + pin + "' is no pin: sha256/ and the base64 of 32 bytes");
  }
}

TEST_F(TlsOptions_, ServersOptionsAreChecked) {
  TlsServerOptions options = server_tls_options();
  options.client_certificates = TlsClientCertificates::require;
  EXPECT_EQ(complaint(options),
            "client certificates are asked for, but there are no roots to verify them with");
  options = server_tls_options();
  options.ticket_key_lifetime = std::chrono::milliseconds(999);
  EXPECT_EQ(complaint(options), "the keys of session tickets live for at least a second");
  for (const std::string& protocol : {std::string(), std::string(256, 'p')}) {
    options = server_tls_options();
    options.application_protocols = {protocol};
    EXPECT_NE(complaint(options).find("1 to 255 bytes"), std::string::npos);
    TlsClientOptions client = client_tls_options();
    client.application_protocols = {protocol};
    EXPECT_NE(complaint(client).find("1 to 255 bytes"), std::string::npos);
  }
  const std::string empty = files_.write("empty.der", "");
  EXPECT_EQ(complaint(TlsCertificate{.chain_file = chain_, .key_file = key_, .ocsp_file = empty}),
            empty + " does not hold an OCSP answer");
}

TEST_F(TlsOptions_, AFailedLoadChangesNothing) {
  TlsServer server;
  EXPECT_FALSE(server.load(server_tls_options()));
  EXPECT_TRUE(server.load({}));
  EXPECT_NE(server.problem(), "");
  TlsClient client;
  EXPECT_FALSE(client.load(client_tls_options()));
  TlsClientOptions worse = client_tls_options();
  worse.pins = {"junk"};
  EXPECT_TRUE(client.load(worse));
  {
    EngineSide server_side(server);
    EngineSide client_side(client, "localhost");
    converse(client_side, server_side);
    EXPECT_TRUE(client_side.established());
  }
  EXPECT_FALSE(server.load(server_tls_options()));
  EXPECT_EQ(server.problem(), "");
}

// --- the system's roots -----------------------------------------------------------------------------

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* const old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST_F(TlsOptions_, SystemsRootsAreThoseOfTheEnvironment) {
  const auto server_tls = make_tls_server();
  const auto meet = [&] {
    const auto client_tls = make_tls_client({});
    EngineSide server(*server_tls);
    EngineSide client(*client_tls, "localhost");
    converse(client, server);
    return client.engine->failure();
  };
  {
    const Environment file("SSL_CERT_FILE", files_.write("roots.pem", authority().roots_pem()));
    EXPECT_EQ(meet(), errc::none);
  }
  {
    const Environment file("SSL_CERT_FILE",
                           files_.write("others.pem", CertificateAuthority("another").roots_pem()));
    EXPECT_EQ(meet(), errc::tls_certificate_untrusted);
  }
  const std::string nowhere = files_.path("nowhere.pem");
  const Environment file("SSL_CERT_FILE", nowhere);
  EXPECT_EQ(complaint(TlsClientOptions{}), nowhere + ", which SSL_CERT_FILE names, has no certificates");
}

TEST_F(TlsOptions_, SystemsRootsMayBeMissing) {
  const Environment file("SSL_CERT_FILE", "");
  const Environment directory("SSL_CERT_DIR", files_.path("nowhere"));
  EXPECT_EQ(complaint(TlsClientOptions{}, errc::tls_roots_missing),
            std::string(describe(errc::tls_roots_missing)));
}

TEST_F(TlsOptions_, SystemsRootsAreFoundInTheirDirectory) {
  const TemporaryDirectory roots;
  const bssl::UniquePtr<BIO> in(BIO_new_mem_buf(authority().roots_pem().data(), -1));
  const bssl::UniquePtr<X509> root(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  for (const auto hash : {X509_NAME_hash(X509_get_subject_name(root.get())),
                          X509_NAME_hash_old(X509_get_subject_name(root.get()))}) {
    char name[16];
    std::snprintf(name, sizeof name, "%08lx.0", static_cast<unsigned long>(hash));
    roots.write(name, authority().roots_pem());
  }
  const Environment file("SSL_CERT_FILE", "");
  const Environment directory("SSL_CERT_DIR", roots.path());
  const auto client_tls = make_tls_client({});
  const auto server_tls = make_tls_server();
  EngineSide server(*server_tls);
  EngineSide client(*client_tls, "localhost");
  converse(client, server);
  EXPECT_EQ(client.engine->failure(), errc::none);
  EXPECT_TRUE(client.established());
}

// --- the key log ----------------------------------------------------------------------------------

TEST_F(TlsOptions_, KeysAreLoggedOnlyWhereThatIsAskedFor) {
  const std::string log = files_.path("keys.log");
  TlsServerOptions server_options = server_tls_options();
  TlsClientOptions client_options = client_tls_options();
  const auto connect = [&] {
    const auto server_tls = make_tls_server(server_options);
    const auto client_tls = make_tls_client(client_options);
    EngineSide server(*server_tls);
    EngineSide client(*client_tls, "localhost");
    converse(client, server);
  };
  const Environment variable("SSLKEYLOGFILE", log);
  connect();
  EXPECT_FALSE(std::filesystem::exists(log));
  server_options.key_log_file = log;
  connect();
  const std::string once = files_.read("keys.log");
  EXPECT_NE(once.find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
  EXPECT_TRUE(once.ends_with("\n"));
  EXPECT_EQ(std::filesystem::status(log).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  server_options.key_log_file.clear();
  client_options.key_log_file = log;
  connect();
  const std::string twice = files_.read("keys.log");
  EXPECT_TRUE(twice.starts_with(once));  // appended
  EXPECT_GT(twice.size(), once.size());
}

}  // namespace
}  // namespace sansock::test
