#include "scene_tls.h"

#include <cstdio>
#include <cstdlib>

#ifdef SANSOCK_WITH_TLS
#include "certificates.h"
#endif

namespace sansock::sim {

namespace {

constexpr const char* host = "sim.example";

#ifdef SANSOCK_WITH_TLS
[[noreturn]] void give_up(const std::string& problem) {
  std::fprintf(stderr, "sim: %s\n", problem.c_str());
  std::abort();
}
#endif

}  // namespace

#ifdef SANSOCK_WITH_TLS

SceneTls::SceneTls(bool wanted) {
  if (!wanted) return;
  // For the life of the process: what is random in them has the same size each time.
  static const test::CertificateAuthority authority("sim root", test::KeyKind::ed25519);
  static const test::IssuedCertificate issued =
      authority.issue({.dns_names = {host}, .key = test::KeyKind::ed25519});
  TlsServerOptions server;
  server.certificates = {{.chain_pem = issued.chain_pem, .key_pem = issued.key_pem}};
  if (server_.load(server)) give_up(server_.problem());
  TlsClientOptions client;
  client.roots_pem = authority.roots_pem();
  if (client_.load(client)) give_up(client_.problem());
}

#else

SceneTls::SceneTls(bool) {}

#endif

std::unique_ptr<TlsEngine> SceneTls::make_engine(bool client, BlockPool& pool) const {
  return client ? client_.make_engine(pool, host, 443) : server_.make_engine(pool);
}

}  // namespace sansock::sim
