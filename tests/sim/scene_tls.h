// The certificates and sessions of the servers and clients, in seeds with TLS. The key is Ed25519's, whose
// signatures are all of one size, so that a seed sends as many bytes each time, although not the same ones.
#pragma once

#include <memory>

#include "sansock/tls.h"
#include "sansock/tls_engine.h"

namespace sansock::sim {

class SceneTls {
 public:
  explicit SceneTls(bool wanted);

  // For one connection; nullptr if TLS is not built in.
  std::unique_ptr<TlsEngine> make_engine(bool client, BlockPool& pool) const;

 private:
  TlsServer server_;
  TlsClient client_;
};

}  // namespace sansock::sim
