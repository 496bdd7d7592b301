// What is taken for verified, over resumed sessions and new files too: server and client engines in memory.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "certificates.h"
#include "sansock/slab_block_pool.h"
#include "sansock/tls.h"
#include "sansock/tls_engine.h"

namespace sansock::test {
namespace {

// A file for one test.
class File {
 public:
  File() {
    const int descriptor = ::mkstemp(name_.data());
    EXPECT_GE(descriptor, 0);
    ::close(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::remove(name_.c_str()); }

  void write(const std::string& text) const { std::ofstream(name_, std::ios::trunc) << text; }
  const std::string& name() const { return name_; }

 private:
  std::string name_ = "/tmp/sansock-roots-XXXXXX";
};

void move_all(TlsEngine& from, TlsEngine& to) {
  while (from.output_size() != 0) {
    std::vector<IoSlice> slices(16);
    slices.resize(from.gather(slices));
    std::vector<std::byte> bytes;
    for (const IoSlice& slice : slices) {
      const auto* const begin = static_cast<const std::byte*>(slice.base);
      bytes.insert(bytes.end(), begin, begin + slice.size);
    }
    from.consume(bytes.size());
    to.feed(bytes);
    while (!to.next().empty()) continue;
  }
}

struct Ends {
  TlsStatus server;
  TlsStatus client;
  errc server_failure;
};

class TlsTrust : public testing::Test {
 protected:
  // A whole handshake, and what the server sends behind it.
  Ends connect(const TlsClient& client) {
    const auto server_end = server_.make_engine(pool_);
    const auto client_end = client.make_engine(pool_, "localhost", 1);
    server_end->start();
    client_end->start();
    for (int round = 0; round < 4; ++round) {
      move_all(*client_end, *server_end);
      move_all(*server_end, *client_end);
    }
    // Tickets go with the first data.
    std::string data = "data";
    const IoSlice slice{data.data(), data.size()};
    server_end->seal({&slice, 1});
    move_all(*server_end, *client_end);
    return {server_end->status(), client_end->status(), server_end->failure()};
  }

  SlabBlockPool pool_{16u << 20};
  CertificateAuthority authority_{"root"};
  IssuedCertificate certificate_ = authority_.issue({.dns_names = {"localhost"}});
  TlsServerOptions options_ = {
      .certificates = {{.chain_pem = certificate_.chain_pem, .key_pem = certificate_.key_pem}}};
  TlsServer server_;
};

TEST_F(TlsTrust, SessionsOfAnAuthorityThatIsGoneAreNotResumed) {
  const CertificateAuthority first("first");
  const CertificateAuthority second("second");
  const IssuedCertificate own = first.issue({.purpose = CertificatePurpose::client});
  const File roots;
  options_.client_certificates = TlsClientCertificates::require;
  options_.client_roots_file = roots.name();
  roots.write(first.roots_pem());
  ASSERT_FALSE(server_.load(options_)) << server_.problem();
  TlsClient client;
  ASSERT_FALSE(
      client.load({.roots_pem = authority_.roots_pem(),
                   .certificate = TlsCertificate{.chain_pem = own.chain_pem, .key_pem = own.key_pem}}));
  EXPECT_FALSE(connect(client).server.resumed);
  EXPECT_TRUE(connect(client).server.resumed);
  // The same roots: what was verified still is.
  ASSERT_FALSE(server_.load(options_)) << server_.problem();
  EXPECT_TRUE(connect(client).server.resumed);

  roots.write(second.roots_pem());
  ASSERT_FALSE(server_.load(options_)) << server_.problem();
  const Ends ends = connect(client);
  EXPECT_FALSE(ends.server.established);
  EXPECT_EQ(ends.server_failure, errc::tls_certificate_untrusted);
}

TEST_F(TlsTrust, WithoutVerificationThereIsNoVerifiedPeer) {
  ASSERT_FALSE(server_.load(options_)) << server_.problem();
  const std::string pin = public_key_pin(certificate_.chain_pem);
  for (const auto& pins : {std::vector<std::string>{}, std::vector<std::string>{pin}}) {
    TlsClient client;
    ASSERT_FALSE(client.load({.pins = pins, .insecure = true})) << client.problem();
    for (const bool resumed : {false, true}) {
      const Ends ends = connect(client);
      EXPECT_TRUE(ends.client.established);
      EXPECT_EQ(ends.client.resumed, resumed);
      EXPECT_FALSE(ends.client.peer);
    }
  }
  TlsClient client;
  ASSERT_FALSE(client.load({.roots_pem = authority_.roots_pem(), .pins = {pin}})) << client.problem();
  EXPECT_TRUE(connect(client).client.peer);
}

}  // namespace
}  // namespace sansock::test
